package io.rasterflow.model.aim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.Compute;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Precision;
import io.rasterflow.model.Replica;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.optimizer.AdamW;
import io.rasterflow.model.optimizer.OptimizerConfig;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.ParameterLayout;
import io.rasterflow.model.program.Processor;
import io.rasterflow.model.program.Tensors;
import java.nio.ByteBuffer;

/** {@link Replica} of an AIM model: two native calls a step, on weights and moments that never leave flat storage. */
public final class AimReplica implements Replica {
    private final Thread owner = Thread.currentThread();
    private final Precision precision;
    private final ParameterLayout layout;
    private final AimProgram program;
    private final AdamW optimizer;
    private final NDManager scope;
    private final AdamW.State state;
    private long step;

    AimReplica(AimConfig config, OptimizerConfig optimizerConfig, Compute compute) {
        this.precision = Processor.resolve(compute.precision());
        layout = AimLayout.of(config);
        program = new AimProgram(config, layout, compute.precision());
        optimizer = new AdamW(optimizerConfig, layout.decayedFloats());
        scope = Engines.newScope();
        state = new AdamW.State(zeros(), zeros(), zeros());
    }

    /** Allocated by the engine, whose memory is 64-byte aligned; Java's direct buffers need not be. */
    private NDArray zeros() {
        return scope.zeros(new Shape(layout.floats()), DataType.FLOAT32);
    }

    @Override
    public int gradientFloats() {
        return layout.floats();
    }

    @Override
    public long parameters() {
        return layout.slots().stream().mapToLong(ParameterLayout.Slot::size).sum();
    }

    @Override
    public Precision precision() {
        return precision;
    }

    @Override
    public void initialise(long seed) {
        requireOwner();
        try (NDManager call = scope.newSubManager()) {
            optimizer.copy(call, state.weights(), call.create(AimInitializer.draw(layout, seed)));
            optimizer.copy(call, state.firstMoments(), call.create(0f));
            optimizer.copy(call, state.secondMoments(), call.create(0f));
        }
        step = 0;
    }

    @Override
    public void restore(Snapshot snapshot) {
        requireOwner();
        float[] weights = layout.flatten(snapshot.weights());
        float[] first = layout.flatten(snapshot.firstMoments());
        float[] second = layout.flatten(snapshot.secondMoments());
        try (NDManager call = scope.newSubManager()) {
            optimizer.copy(call, state.weights(), call.create(weights));
            optimizer.copy(call, state.firstMoments(), call.create(first));
            optimizer.copy(call, state.secondMoments(), call.create(second));
        }
        step = snapshot.step();
    }

    @Override
    public Snapshot snapshot() {
        requireOwner();
        return new Snapshot(
                step,
                layout.unflatten(state.weights().toFloatArray()),
                layout.unflatten(state.firstMoments().toFloatArray()),
                layout.unflatten(state.secondMoments().toFloatArray()));
    }

    @Override
    public LossSum gradients(ByteBuffer images, long[] sampleKeys, ByteBuffer gradientSum) {
        return gradientsWithPrefixes(images, program.prefixes(sampleKeys), gradientSum);
    }

    /** As {@link #gradients} with the prefix length of every image given, each in 1..K-1. */
    public LossSum gradientsWithPrefixes(ByteBuffer images, long[] prefixes, ByteBuffer gradientSum) {
        requireOwner();
        long counted = program.countedPatches(prefixes);
        try (NDManager call = scope.newSubManager()) {
            NDArray pixels = program.images(call, images, 0, prefixes.length);
            NDArray gradient = Tensors.wrap(call, "gradientSum", gradientSum, 0, new Shape(layout.floats()));
            NDList loss = program.call(call, "gradients", state.weights(), pixels, call.create(prefixes), gradient);
            return new LossSum(loss.singletonOrThrow().getFloat(), counted);
        }
    }

    @Override
    public double update(ByteBuffer gradientSum, long patches, double learningRate) {
        requireOwner();
        if (patches < 1) {
            throw new IllegalArgumentException("an update needs at least one counted patch but has " + patches);
        }
        try (NDManager call = scope.newSubManager()) {
            NDArray sum = Tensors.wrap(call, "gradientSum", gradientSum, 0, new Shape(layout.floats()));
            double norm = optimizer.update(call, state, sum, patches, learningRate, step + 1);
            if (Double.isFinite(norm)) {
                step++;
            }
            return norm;
        }
    }

    /** Tensors that the replica holds at this moment; constant between calls. */
    public int liveTensors() {
        return scope.getManagedArrays().size();
    }

    private void requireOwner() {
        if (Thread.currentThread() != owner) {
            throw new IllegalStateException("a replica belongs to the thread that opened it (" + owner.getName()
                    + ") but was called from " + Thread.currentThread().getName());
        }
    }

    @Override
    public void close() {
        scope.close();
        optimizer.close();
        program.close();
    }
}
