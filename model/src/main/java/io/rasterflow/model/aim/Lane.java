package io.rasterflow.model.aim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.rasterflow.model.Compute;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.program.Engines;
import java.nio.ByteBuffer;
import java.util.List;

/** What one thread of a replica computes slices with: a program of its own on the weights that all lanes share. */
final class Lane implements AutoCloseable {
    private final AimConfig config;
    private final Compute compute;
    private final AimProgram program;
    private final NDManager scope;
    private final NDManager host;

    Lane(AimConfig config, Compute compute, AimProgram program) {
        this.config = config;
        this.compute = compute;
        this.program = program;
        scope = Engines.newScope(program.device());
        host = Engines.newScope();
    }

    void bind(List<NDArray> weights, List<NDArray> operands) {
        program.bind(scope, weights, operands);
    }

    /** Sum of the loss; keeps what {@link #backward} needs. {@code start} is the slice's first image. */
    LossSum forward(ByteBuffer images, int start, Predicted predicted) {
        int atOnce = predicted.images() * (program.device().isGpu() ? 1 : compute.threads());
        int recomputed = ActivationBudget.recomputedBlocks(config, compute, atOnce);
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            NDArray pixels = program.images(wrapped, images, start, predicted.images());
            NDArray prefixes = call.create(predicted.prefixes());
            NDArray rows = call.create(predicted.rows());
            double loss = program.call(call, "forward", pixels, prefixes, rows, wrapped.create(recomputed))
                    .singletonOrThrow()
                    .getFloat();
            return new LossSum(loss, predicted.count());
        }
    }

    /** Adds the gradients of groups {@code [start, end)} to their bucket; those of a first slice replace what was there. */
    void backward(int start, int end, boolean first, NDArray gradientSum) {
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            NDArray groups = wrapped.create(new int[] {start, end});
            program.call(call, "backward", groups, wrapped.create(first), gradientSum);
        }
    }

    /** The half of {@link #backward} that touches no gradient yet, for one group. */
    void derive(int group) {
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            program.call(call, "derive", wrapped.create(group));
        }
    }

    /** The other half: adds what {@link #derive} found. */
    void add(int group, boolean first, NDArray gradientSum) {
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            program.call(call, "add", wrapped.create(group), wrapped.create(first), gradientSum);
        }
    }

    int liveTensors() {
        return scope.getManagedArrays().size() + host.getManagedArrays().size();
    }

    @Override
    public void close() {
        scope.close();
        host.close();
        program.close();
    }
}
