package io.rasterflow.model.optimizer;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.rasterflow.model.program.ParameterLayout;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import io.rasterflow.model.program.Workers;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** {@code adamw.py} with its settings filled in: AdamW on flat float32 tensors, in place. */
public final class AdamW implements AutoCloseable {
    /** Name under which other programs include {@link #source()}. */
    public static final String LIBRARY = "adamw";

    private final OptimizerConfig config;
    private final List<Integer> decayed;

    /** One per worker: a program is confined to a thread. */
    private final List<Program> programs = new ArrayList<>();

    /**
     * @param layout which leading values of every bucket weight decay applies to
     * @param workers most threads that will work on one update
     */
    public AdamW(OptimizerConfig config, ParameterLayout layout, Device device, int workers) {
        this.config = config;
        decayed = layout.buckets().stream()
                .map(ParameterLayout.Bucket::decayedFloats)
                .toList();
        Map<String, Object> attributes = Map.of(
                "beta1", config.beta1(),
                "beta2", config.beta2(),
                "eps", config.eps(),
                "weight_decay", config.weightDecay());
        for (int worker = 0; worker < workers; worker++) {
            programs.add(Program.load(LIBRARY, "AdamW", Map.of(LIBRARY, source()), attributes, device));
        }
    }

    /** The program's text, for programs that train something of their own. */
    public static String source() {
        return ProgramArchive.source(AdamW.class, "adamw.py");
    }

    /**
     * One step with gradient = sum / patches, clipped to the global norm {@link OptimizerConfig#clip()}. The result does not
     * depend on the number of workers.
     *
     * @param sums one tensor per bucket
     * @param step steps taken, this one included
     * @return the gradient norm before clipping; if it is not finite nothing has been changed
     */
    public double update(
            Workers workers,
            NDManager scope,
            State state,
            List<NDArray> sums,
            long patches,
            double learningRate,
            long step) {
        double norm = norm(workers, scope, sums) / patches;
        if (Double.isFinite(norm)) {
            double divisor = norm > config.clip() ? patches * ((norm + 1e-6) / config.clip()) : patches;
            workers.each(sums.size(), (worker, bucket) -> {
                try (NDManager call = scope.newSubManager()) {
                    programs.get(worker)
                            .call(
                                    call,
                                    "update",
                                    state.weights().get(bucket),
                                    state.firstMoments().get(bucket),
                                    state.secondMoments().get(bucket),
                                    sums.get(bucket),
                                    call.create(decayed.get(bucket)),
                                    call.create(divisor),
                                    call.create(learningRate),
                                    call.create((double) step));
                }
            });
        }
        return norm;
    }

    private double norm(Workers workers, NDManager scope, List<NDArray> sums) {
        double[] lengths = new double[sums.size()];
        workers.each(lengths.length, (worker, bucket) -> {
            try (NDManager call = scope.newSubManager()) {
                lengths[bucket] = programs.get(worker)
                        .call(call, "length", sums.get(bucket))
                        .singletonOrThrow()
                        .getDouble();
            }
        });
        return Math.sqrt(Arrays.stream(lengths).map(length -> length * length).sum());
    }

    @Override
    public void close() {
        programs.forEach(Program::close);
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
