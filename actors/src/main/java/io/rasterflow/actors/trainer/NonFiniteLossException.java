package io.rasterflow.actors.trainer;

/** The loss or the gradient norm of a step is NaN or infinite; nothing was changed by that step. */
public final class NonFiniteLossException extends RuntimeException {

    private static final long serialVersionUID = 1;

    NonFiniteLossException(long step, String what, double value) {
        super("the " + what + " of step " + step + " is " + value
                + "; the weights were left as they were before it. Lower train.learningRate, or continue from an"
                + " earlier checkpoint");
    }
}
