package io.rasterflow.model.optimizer;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import java.util.Map;

/** {@code adamw.py} with its settings filled in: AdamW on flat float32 tensors of F values, in place. */
public final class AdamW implements AutoCloseable {
    /** Name under which other programs include {@link #source()}. */
    public static final String LIBRARY = "adamw";

    private final Program program;

    /** @param decayedFloats the leading values that weight decay applies to */
    public AdamW(OptimizerConfig config, int decayedFloats) {
        Map<String, Object> attributes = Map.of(
                "decayed", decayedFloats,
                "beta1", config.beta1(),
                "beta2", config.beta2(),
                "eps", config.eps(),
                "weight_decay", config.weightDecay(),
                "clip", config.clip());
        program = Program.load(LIBRARY, "AdamW", Map.of(LIBRARY, source()), attributes);
    }

    /** The program's text, for programs that train something of their own. */
    public static String source() {
        return ProgramArchive.source(AdamW.class, "adamw.py");
    }

    /**
     * One step with gradient = sum / patches.
     *
     * @param step steps taken, this one included
     * @return the gradient norm before clipping; if it is not finite nothing has been changed
     */
    public double update(NDManager scope, State state, NDArray sum, long patches, double learningRate, long step) {
        return program.call(
                        scope,
                        "update",
                        state.weights(),
                        state.firstMoments(),
                        state.secondMoments(),
                        sum,
                        scope.create((double) patches),
                        scope.create(learningRate),
                        scope.create((double) step))
                .singletonOrThrow()
                .getDouble();
    }

    /** Overwrites a tensor in place, so that it keeps its memory and alignment. */
    public void copy(NDManager scope, NDArray to, NDArray from) {
        program.call(scope, "copy", to, from);
    }

    @Override
    public void close() {
        program.close();
    }

    /**
     * What one replica trains: three flat tensors (F) float32.
     *
     * @param weights parameters
     * @param firstMoments AdamW m
     * @param secondMoments AdamW v
     */
    public record State(NDArray weights, NDArray firstMoments, NDArray secondMoments) {}
}
