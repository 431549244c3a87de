package io.rasterflow.actors.trainer;

/** The loss or the gradient norm of a step is NaN or infinite; nothing was changed by that step. */
public final class NonFiniteLossException extends RuntimeException {

    private static final long serialVersionUID = 1;

    /** @param culprit which micro-batch of which rank, empty when it is not known */
    NonFiniteLossException(long step, String what, double value, String culprit) {
        super("the " + what + " of step " + step + " is " + value + (culprit.isEmpty() ? "" : " (" + culprit + ")")
                + "; the weights were left as they were before it. Lower train.learningRate, or continue from an"
                + " earlier checkpoint");
    }
}
