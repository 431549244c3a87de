package io.rasterflow.model.optimizer;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.rasterflow.model.program.ParameterLayout;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** {@code adamw.py} with its settings filled in: AdamW on lists of flat float32 tensors, in place. */
public final class AdamW implements AutoCloseable {
    /** Name under which other programs include {@link #source()}. */
    public static final String LIBRARY = "adamw";

    private final Program program;

    /** @param layout which leading values of every bucket weight decay applies to */
    public AdamW(OptimizerConfig config, ParameterLayout layout, Device device) {
        Map<String, Object> attributes = Map.of(
                "decayed",
                        layout.buckets().stream()
                                .map(ParameterLayout.Bucket::decayedFloats)
                                .toList(),
                "beta1", config.beta1(),
                "beta2", config.beta2(),
                "eps", config.eps(),
                "weight_decay", config.weightDecay(),
                "clip", config.clip());
        program = Program.load(LIBRARY, "AdamW", Map.of(LIBRARY, source()), attributes, device);
    }

    /** The program's text, for programs that train something of their own. */
    public static String source() {
        return ProgramArchive.source(AdamW.class, "adamw.py");
    }

    /**
     * One step with gradient = sum / patches.
     *
     * @param sums one tensor per bucket; scaled in place
     * @param step steps taken, this one included
     * @return the gradient norm before clipping; if it is not finite nothing has been changed
     */
    public double update(
            NDManager scope, State state, List<NDArray> sums, long patches, double learningRate, long step) {
        List<NDArray> arguments = new ArrayList<>();
        arguments.addAll(Program.list("w", state.weights()));
        arguments.addAll(Program.list("m", state.firstMoments()));
        arguments.addAll(Program.list("v", state.secondMoments()));
        arguments.addAll(Program.list("sums", sums));
        arguments.add(scope.create((double) patches));
        arguments.add(scope.create(learningRate));
        arguments.add(scope.create((double) step));
        return program.call(scope, "update", arguments).singletonOrThrow().getDouble();
    }

    @Override
    public void close() {
        program.close();
    }

    /**
     * What one replica trains: a float32 tensor per bucket.
     *
     * @param weights parameters
     * @param firstMoments AdamW m
     * @param secondMoments AdamW v
     */
    public record State(List<NDArray> weights, List<NDArray> firstMoments, List<NDArray> secondMoments) {}
}
