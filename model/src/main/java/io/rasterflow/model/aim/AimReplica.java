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
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.IntConsumer;

/**
 * {@link Replica} of an AIM model: a native call forward, one per bucket backward and one for the update, on weights and
 * moments that never leave flat storage.
 */
public final class AimReplica implements Replica {
    private final Thread owner = Thread.currentThread();

    // What it is
    private final AimConfig config;
    private final Precision precision;
    private final ParameterLayout layout;

    // What it computes with
    /** That of the first lane. */
    private final AimProgram program;

    private final Lanes lanes;
    private final AdamW optimizer;
    private final NDManager scope;
    private final NDManager host;
    private final Transfer transfer;

    // What it holds
    private final AdamW.State state;
    private final Optional<WeightAverage> average;
    private final List<NDArray> operands;
    private final List<NDArray> staging;
    private long step;

    AimReplica(AimConfig config, OptimizerConfig optimizerConfig, Compute compute) {
        this.config = config;
        precision = Processor.resolve(compute.precision());
        layout = AimLayout.of(config);
        program = new AimProgram(config, layout, compute);
        lanes = lanes(compute);
        optimizer = new AdamW(optimizerConfig, layout, program.device(), lanes.count());
        scope = Engines.newScope(program.device());
        host = Engines.newScope(Device.cpu());
        transfer = new Transfer(program);
        state = new AdamW.State(zeros(scope), zeros(scope), zeros(scope));
        average = optimizerConfig.averages()
                ? Optional.of(new WeightAverage(scope, optimizerConfig.ema(), state.weights()))
                : Optional.empty();
        staging = program.device().isGpu() ? zeros(scope) : List.of();
        operands = program.operands(scope, state.weights());
        try {
            lanes.bind(state.weights(), operands);
        } catch (RuntimeException unbound) {
            // A codebook that does not fit: nobody else could free what is here.
            close();
            throw unbound;
        }
    }

    private Lanes lanes(Compute compute) {
        List<Lane> lanes = new ArrayList<>(List.of(new Lane(config, compute, program)));
        while (lanes.size() < compute.threads() && !program.device().isGpu()) {
            lanes.add(new Lane(config, compute, new AimProgram(config, layout, compute)));
        }
        return new Lanes(lanes, layout.buckets());
    }

    /** A list of one tensor per bucket, in the engine's memory, which is 64-byte aligned as Java's need not be. */
    private List<NDArray> zeros(NDManager manager) {
        List<NDArray> buckets = new ArrayList<>();
        for (Bucket bucket : layout.buckets()) {
            buckets.add(manager.zeros(new Shape(bucket.floats()), DataType.FLOAT32));
        }
        return List.copyOf(buckets);
    }

    @Override
    public List<Integer> bucketFloats() {
        return layout.buckets().stream().map(Bucket::floats).toList();
    }

    @Override
    public SortedMap<String, long[]> shapes() {
        SortedMap<String, long[]> shapes = new TreeMap<>();
        for (ParameterLayout.Slot slot : layout.slots()) {
            shapes.put(
                    slot.name(),
                    slot.shape().stream().mapToLong(Integer::longValue).toArray());
        }
        return shapes;
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
        for (ParameterLayout.Slot slot : layout.slots()) {
            float[] drawn = AimInitializer.draw(slot, seed);
            transfer.write(state.weights().get(slot.bucket()), slot.offset(), drawn);
            average.ifPresent(ema -> transfer.write(ema.values().get(slot.bucket()), slot.offset(), drawn));
        }
        try (NDManager call = scope.newSubManager()) {
            program.clear(call, state.firstMoments());
            program.clear(call, state.secondMoments());
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
            transfer.write(state.weights().get(i), 0, weights.get(i));
            transfer.write(state.firstMoments().get(i), 0, first.get(i));
            transfer.write(state.secondMoments().get(i), 0, second.get(i));
            if (average.isPresent()) {
                transfer.write(average.get().values().get(i), 0, mean.get(i));
            }
        }
        refresh();
        step = snapshot.step();
    }

    private void refresh() {
        try (NDManager call = scope.newSubManager()) {
            program.refresh(call, state.weights(), operands);
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

    private List<float[]> read(List<NDArray> buckets) {
        return buckets.stream().map(transfer::read).toList();
    }

    @Override
    public void rehearse(ByteBuffer images, long[] sampleKeys) {
        requireOwner();
        try (NDManager call = scope.newSubManager()) {
            List<NDArray> sums = zeros(call);
            LossSum loss = lanes.gradients(images, drawn(sampleKeys), sums, bucket -> {});
            optimizer.update(lanes, call, state, sums, Math.max(1, loss.patches()), 0, 1);
        }
    }

    @Override
    public LossSum gradients(ByteBuffer images, long[] sampleKeys, List<ByteBuffer> gradientSum, IntConsumer ready) {
        return gradients(images, drawn(sampleKeys), gradientSum, ready);
    }

    private List<Predicted> drawn(long[] sampleKeys) {
        return slices(sampleKeys, keys -> Predicted.draw(config, keys));
    }

    /** As {@link #gradients} with the prefix length of every image given, each in 1..K-1. */
    public LossSum gradientsWithPrefixes(ByteBuffer images, long[] prefixes, ByteBuffer gradientSum) {
        List<ByteBuffer> buckets = Buckets.of(gradientSum, bucketFloats());
        return gradients(images, slices(prefixes, some -> Predicted.after(config, some)), buckets, bucket -> {});
    }

    /** What is predicted in each slice of a micro-batch, from one value per image. */
    private List<Predicted> slices(long[] ofImages, Function<long[], Predicted> predicted) {
        int slices = program.device().isGpu() ? 1 : Lanes.slices(config, ofImages.length);
        List<Predicted> slice = new ArrayList<>();
        for (int s = 0; s < slices; s++) {
            int start = (int) ((long) s * ofImages.length / slices);
            int end = (int) ((s + 1L) * ofImages.length / slices);
            slice.add(predicted.apply(Arrays.copyOfRange(ofImages, start, end)));
        }
        return slice;
    }

    private LossSum gradients(
            ByteBuffer images, List<Predicted> slices, List<ByteBuffer> gradientSum, IntConsumer ready) {
        requireOwner();
        try (NDManager wrapped = host.newSubManager()) {
            List<NDArray> sums = wrap(wrapped, gradientSum);
            if (staging.isEmpty()) {
                return lanes.gradients(images, slices, sums, ready);
            }
            return lanes.gradients(images, slices, staging, bucket -> {
                program.call(wrapped, "copy", sums.get(bucket), staging.get(bucket));
                ready.accept(bucket);
            });
        }
    }

    /** Tensors on the caller's memory. */
    private List<NDArray> wrap(NDManager wrapped, List<ByteBuffer> gradientSum) {
        List<NDArray> sums = new ArrayList<>();
        for (int i = 0; i < gradientSum.size(); i++) {
            Shape shape = new Shape(layout.buckets().get(i).floats());
            sums.add(Tensors.wrap(wrapped, "gradientSum", gradientSum.get(i), 0, shape));
        }
        return sums;
    }

    @Override
    public double update(List<ByteBuffer> gradientSum, long patches, double learningRate) {
        requireOwner();
        if (patches < 1) {
            throw new IllegalArgumentException("an update needs at least one counted patch but has " + patches);
        }
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            double norm = optimizer.update(
                    lanes, wrapped, state, sums(call, wrapped, gradientSum), patches, learningRate, step + 1);
            if (Double.isFinite(norm)) {
                step++;
                average.ifPresent(ema -> ema.add(call, step));
                refresh();
            }
            return norm;
        }
    }

    private List<NDArray> sums(NDManager call, NDManager wrapped, List<ByteBuffer> gradientSum) {
        List<NDArray> sums = wrap(wrapped, gradientSum);
        for (int i = 0; i < staging.size(); i++) {
            program.call(call, "copy", staging.get(i), sums.get(i));
        }
        return staging.isEmpty() ? sums : staging;
    }

    /** Tensors that the replica holds at this moment; constant between calls. */
    public int liveTensors() {
        return scope.getManagedArrays().size() + host.getManagedArrays().size() + lanes.liveTensors();
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
        transfer.close();
        optimizer.close();
        average.ifPresent(WeightAverage::close);
        lanes.close();
    }
}
