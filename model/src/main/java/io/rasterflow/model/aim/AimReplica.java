package io.rasterflow.model.aim;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.Buckets;
import io.rasterflow.model.Compute;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Precision;
import io.rasterflow.model.Replica;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.optimizer.AdamW;
import io.rasterflow.model.optimizer.OptimizerConfig;
import io.rasterflow.model.optimizer.WeightAverage;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.ParameterLayout;
import io.rasterflow.model.program.ParameterLayout.Bucket;
import io.rasterflow.model.program.Processor;
import io.rasterflow.model.program.Tensors;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * {@link Replica} of an AIM model: a native call forward, one per bucket backward and one for the update, on weights and
 * moments that never leave flat storage.
 */
public final class AimReplica implements Replica {
    private final Thread owner = Thread.currentThread();

    // What it is
    private final AimConfig config;
    private final Compute compute;
    private final Precision precision;
    private final ParameterLayout layout;

    // What it computes with
    private final AimProgram program;
    private final AdamW optimizer;
    private final NDManager scope;
    private final NDManager host;

    // What it holds
    private final AdamW.State state;
    private final Optional<WeightAverage> average;
    private final List<NDArray> staging;
    private long step;

    AimReplica(AimConfig config, OptimizerConfig optimizerConfig, Compute compute) {
        this.config = config;
        this.compute = compute;
        precision = Processor.resolve(compute.precision());
        layout = AimLayout.of(config);
        program = new AimProgram(config, layout, compute);
        optimizer = new AdamW(optimizerConfig, layout, program.device());
        scope = Engines.newScope(program.device());
        host = Engines.newScope(Device.cpu());
        state = new AdamW.State(zeros(), zeros(), zeros());
        average = optimizerConfig.averages()
                ? Optional.of(new WeightAverage(scope, optimizerConfig.ema(), state.weights()))
                : Optional.empty();
        staging = program.device().isGpu() ? zeros() : List.of();
        try {
            program.bind(scope, state.weights());
        } catch (RuntimeException unbound) {
            // A codebook that does not fit: nobody else could free what is here.
            close();
            throw unbound;
        }
    }

    /** A list of one tensor per bucket, in the engine's memory, which is 64-byte aligned as Java's need not be. */
    private List<NDArray> zeros() {
        List<NDArray> buckets = new ArrayList<>();
        for (Bucket bucket : layout.buckets()) {
            buckets.add(scope.zeros(new Shape(bucket.floats()), DataType.FLOAT32));
        }
        return List.copyOf(buckets);
    }

    @Override
    public List<Integer> bucketFloats() {
        return layout.buckets().stream().map(Bucket::floats).toList();
    }

    @Override
    public long parameters() {
        return layout.parameters();
    }

    @Override
    public Precision precision() {
        return precision;
    }

    @Override
    public void initialise(long seed) {
        requireOwner();
        for (int i = 0; i < layout.buckets().size(); i++) {
            float[] weights = AimInitializer.draw(layout, i, seed);
            copy(state.weights().get(i), weights);
            if (average.isPresent()) {
                copy(average.get().values().get(i), weights);
            }
            Arrays.fill(weights, 0f);
            copy(state.firstMoments().get(i), weights);
            copy(state.secondMoments().get(i), weights);
        }
        refresh();
        step = 0;
    }

    @Override
    public void restore(Snapshot snapshot) {
        requireOwner();
        List<float[]> weights = layout.flatten(snapshot.weights());
        List<float[]> first = layout.flatten(snapshot.firstMoments());
        List<float[]> second = layout.flatten(snapshot.secondMoments());
        // Weights that came without an average are where one begins.
        List<float[]> mean = snapshot.averaged() ? layout.flatten(snapshot.average()) : weights;
        for (int i = 0; i < weights.size(); i++) {
            copy(state.weights().get(i), weights.get(i));
            copy(state.firstMoments().get(i), first.get(i));
            copy(state.secondMoments().get(i), second.get(i));
            if (average.isPresent()) {
                copy(average.get().values().get(i), mean.get(i));
            }
        }
        refresh();
        step = snapshot.step();
    }

    private void copy(NDArray to, float[] from) {
        try (NDManager call = host.newSubManager()) {
            program.call(call, "copy", to, call.create(from));
        }
    }

    private void refresh() {
        try (NDManager call = scope.newSubManager()) {
            program.refresh(call, state.weights());
        }
    }

    @Override
    public Snapshot snapshot() {
        requireOwner();
        return new Snapshot(
                step,
                layout.unflatten(read(state.weights())),
                layout.unflatten(read(state.firstMoments())),
                layout.unflatten(read(state.secondMoments())),
                average.map(ema -> layout.unflatten(read(ema.values()))).orElseGet(Collections::emptySortedMap));
    }

    private static List<float[]> read(List<NDArray> buckets) {
        return buckets.stream().map(NDArray::toFloatArray).toList();
    }

    @Override
    public LossSum gradients(ByteBuffer images, long[] sampleKeys, List<ByteBuffer> gradientSum, IntConsumer ready) {
        return gradients(images, Predicted.draw(config, sampleKeys), gradientSum, ready);
    }

    /** As {@link #gradients} with the prefix length of every image given, each in 1..K-1. */
    public LossSum gradientsWithPrefixes(ByteBuffer images, long[] prefixes, ByteBuffer gradientSum) {
        List<ByteBuffer> buckets = Buckets.of(gradientSum, bucketFloats());
        return gradients(images, Predicted.after(config, prefixes), buckets, bucket -> {});
    }

    private LossSum gradients(ByteBuffer images, Predicted predicted, List<ByteBuffer> gradientSum, IntConsumer ready) {
        requireOwner();
        int recomputed = ActivationBudget.recomputedBlocks(config, compute, predicted.prefixes().length);
        double loss;
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            NDArray pixels = program.images(wrapped, images, 0, predicted.prefixes().length);
            loss = program.call(
                            call,
                            "forward",
                            pixels,
                            call.create(predicted.prefixes()),
                            call.create(predicted.rows()),
                            wrapped.create(recomputed))
                    .singletonOrThrow()
                    .getFloat();
        }
        for (int i = gradientSum.size() - 1; i >= 0; i--) {
            backward(i, gradientSum.get(i));
            ready.accept(i);
        }
        return new LossSum(loss, predicted.count());
    }

    private void backward(int index, ByteBuffer gradientSum) {
        Bucket bucket = layout.buckets().get(index);
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            NDArray sum = Tensors.wrap(wrapped, "gradientSum", gradientSum, 0, new Shape(bucket.floats()));
            NDArray into = staging.isEmpty() ? sum : staging.get(index);
            NDArray first = wrapped.create(bucket.firstGroup());
            program.call(call, "backward", first, wrapped.create(bucket.endGroup()), into);
            if (into != sum) {
                program.call(call, "copy", sum, into);
            }
        }
    }

    @Override
    public double update(List<ByteBuffer> gradientSum, long patches, double learningRate) {
        requireOwner();
        if (patches < 1) {
            throw new IllegalArgumentException("an update needs at least one counted patch but has " + patches);
        }
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            double norm =
                    optimizer.update(wrapped, state, sums(call, wrapped, gradientSum), patches, learningRate, step + 1);
            if (Double.isFinite(norm)) {
                step++;
                average.ifPresent(ema -> ema.add(call, step));
                refresh();
            }
            return norm;
        }
    }

    private List<NDArray> sums(NDManager call, NDManager wrapped, List<ByteBuffer> gradientSum) {
        List<NDArray> sums = new ArrayList<>();
        for (int i = 0; i < gradientSum.size(); i++) {
            Shape shape = new Shape(layout.buckets().get(i).floats());
            NDArray sum = Tensors.wrap(wrapped, "gradientSum", gradientSum.get(i), 0, shape);
            if (!staging.isEmpty()) {
                program.call(call, "copy", staging.get(i), sum);
            }
            sums.add(sum);
        }
        return staging.isEmpty() ? sums : staging;
    }

    /** Tensors that the replica holds at this moment; constant between calls. */
    public int liveTensors() {
        return scope.getManagedArrays().size() + host.getManagedArrays().size();
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
        host.close();
        optimizer.close();
        average.ifPresent(WeightAverage::close);
        program.close();
    }
}
