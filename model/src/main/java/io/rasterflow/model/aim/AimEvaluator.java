package io.rasterflow.model.aim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.Compute;
import io.rasterflow.model.Evaluator;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.PredictedImage;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.FeatureSet;
import io.rasterflow.model.probe.Layers;
import io.rasterflow.model.probe.NativeFeatureSet;
import io.rasterflow.model.probe.Probe;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeReport;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.ParameterLayout;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** {@link Evaluator} of an AIM model. */
public final class AimEvaluator implements Evaluator {
    /** Tokens of one native call: with more, the activations fall out of the processor's cache. */
    private static final int CHUNK_TOKENS = 1024;

    private final AimConfig config;
    private final ParameterLayout layout;
    private final AimProgram program;
    private final NDManager scope;
    private final NDManager host;
    private final Transfer transfer;
    private final int chunk;
    private final List<NDArray> weights = new ArrayList<>();
    private final List<NDArray> operands = new ArrayList<>();

    AimEvaluator(AimConfig config, Compute compute) {
        this.config = config;
        layout = AimLayout.of(config);
        program = new AimProgram(config, layout, compute);
        scope = Engines.newScope(program.device());
        host = Engines.newScope();
        transfer = new Transfer(program);
        chunk = Math.max(1, CHUNK_TOKENS / config.patches());
    }

    @Override
    public void load(Snapshot snapshot) {
        List<float[]> flat = layout.flatten(snapshot.weights());
        if (weights.isEmpty()) {
            for (ParameterLayout.Bucket bucket : layout.buckets()) {
                weights.add(scope.zeros(new Shape(bucket.floats()), DataType.FLOAT32));
            }
            operands.addAll(program.operands(scope, weights));
            program.bind(scope, weights, operands);
        }
        for (int i = 0; i < flat.size(); i++) {
            transfer.write(weights.get(i), 0, flat.get(i));
        }
        try (NDManager call = scope.newSubManager()) {
            program.refresh(call, weights, operands);
        }
    }

    @Override
    public LossSum loss(ByteBuffer images, long[] sampleKeys) {
        LossSum sum = LossSum.ZERO;
        for (int start = 0; start < sampleKeys.length; start += chunk) {
            long[] some = Arrays.copyOfRange(sampleKeys, start, Math.min(sampleKeys.length, start + chunk));
            Predicted predicted = Predicted.draw(config, some);
            requireWeights();
            try (NDManager call = scope.newSubManager();
                    NDManager wrapped = host.newSubManager()) {
                NDArray pixels = program.images(wrapped, images, start, some.length);
                NDArray rows = call.create(predicted.rows());
                double loss = program.call(call, "loss", pixels, call.create(predicted.prefixes()), rows)
                        .singletonOrThrow()
                        .getFloat();
                sum = sum.plus(new LossSum(loss, predicted.count()));
            }
        }
        return sum;
    }

    @Override
    public List<PredictedImage> predict(ByteBuffer images, long[] sampleKeys) {
        if (config.objective().target() == Objective.Target.TOKENS) {
            throw new UnsupportedOperationException("model.objective.target=tokens predicts no pixels");
        }
        requireWeights();
        PatchPlaces places = new PatchPlaces(config);
        List<PredictedImage> all = new ArrayList<>();
        for (int start = 0; start < sampleKeys.length; start += chunk) {
            long[] some = Arrays.copyOfRange(sampleKeys, start, Math.min(sampleKeys.length, start + chunk));
            Predicted predicted = Predicted.draw(config, some);
            try (NDManager call = scope.newSubManager();
                    NDManager wrapped = host.newSubManager()) {
                NDArray pixels = program.images(wrapped, images, start, some.length);
                NDList found = program.call(
                        call,
                        "predicted_pixels",
                        pixels,
                        call.create(predicted.prefixes()),
                        call.create(predicted.rows()));
                all.addAll(places.place(
                        predicted, found.get(0).toFloatArray(), found.get(1).toFloatArray()));
            }
        }
        return all;
    }

    /** Predictions (B, K, V) of every output under the prefix mask, for comparison with other implementations. */
    public Tensor predictions(ByteBuffer images, long[] prefixes) {
        requireWeights();
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            NDArray pixels = program.images(wrapped, images, 0, prefixes.length);
            return copy(program.call(call, "predictions", pixels, call.create(prefixes))
                    .singletonOrThrow());
        }
    }

    /** Outputs (B, K, D) of every block under bidirectional attention. */
    public List<Tensor> blockOutputs(ByteBuffer images, int count) {
        requireWeights();
        try (NDManager call = scope.newSubManager();
                NDManager wrapped = host.newSubManager()) {
            NDArray pixels = program.images(wrapped, images, 0, count);
            List<Tensor> outputs = new ArrayList<>();
            program.call(call, "block_outputs", pixels).forEach(output -> outputs.add(copy(output)));
            return outputs;
        }
    }

    @Override
    public List<Blocks> layers(String layers) {
        return Layers.resolve(layers, config.trunk().blocks(), config.trunk().dim());
    }

    @Override
    public long featureBytes(boolean pooled) {
        // Beside its features the attentive probe keeps two moments of every image.
        return (pooled ? 1L : config.patches() + 2L) * config.trunk().dim() * Float.BYTES;
    }

    @Override
    public FeatureSet newFeatureSet(int capacity, Blocks blocks, boolean pooled) {
        int dim = config.trunk().dim();
        return new NativeFeatureSet(capacity, blocks, pooled ? new Shape(dim) : new Shape(config.patches(), dim));
    }

    @Override
    public void features(ByteBuffer images, int[] labels, List<FeatureSet> into) {
        requireWeights();
        List<NativeFeatureSet> sets = into.stream().map(NativeFeatureSet::of).toList();
        int[] first = sets.stream().mapToInt(set -> set.reserve(labels)).toArray();
        int needed = sets.stream().mapToInt(set -> set.blocks().top() + 1).max().orElse(0);
        for (int start = 0; start < labels.length && needed > 0; start += chunk) {
            try (NDManager call = scope.newSubManager();
                    NDManager wrapped = host.newSubManager()) {
                NDArray pixels = program.images(wrapped, images, start, Math.min(chunk, labels.length - start));
                NDList means =
                        program.call(call, "features", pixels, picked(wrapped, sets, needed), pooled(wrapped, sets));
                for (int s = 0; s < first.length; s++) {
                    sets.get(s).put(first[s] + start, means.get(s));
                }
            }
        }
    }

    /** 1 where a set takes a block, (sets, blocks). */
    private static NDArray picked(NDManager call, List<NativeFeatureSet> sets, int blocks) {
        long[] picked = new long[sets.size() * blocks];
        for (int s = 0; s < sets.size(); s++) {
            for (int block : sets.get(s).blocks().indices()) {
                picked[s * blocks + block] = 1;
            }
        }
        return call.create(picked, new Shape(sets.size(), blocks));
    }

    /** 1 where a set takes means over the patches, (sets). */
    private static NDArray pooled(NDManager call, List<NativeFeatureSet> sets) {
        return call.create(sets.stream().mapToLong(set -> set.pooled() ? 1 : 0).toArray());
    }

    @Override
    public ProbeReport probe(
            FeatureSet train, FeatureSet validation, ProbeConfig probeConfig, long seed, Optional<FeatureSet> looked) {
        AimConfig.Trunk trunk = config.trunk();
        try (Probe probe = new Probe(probeConfig, trunk.dim(), trunk.heads())) {
            return probe.report(
                    NativeFeatureSet.of(train),
                    NativeFeatureSet.of(validation),
                    seed,
                    looked.map(NativeFeatureSet::of));
        }
    }

    private void requireWeights() {
        if (weights.isEmpty()) {
            throw new IllegalStateException("the evaluator has no weights yet; load a snapshot first");
        }
    }

    private static Tensor copy(NDArray array) {
        float[] values = array.toType(DataType.FLOAT32, false).toFloatArray();
        return new Tensor(array.getShape().getShape(), FloatBuffer.wrap(values).asReadOnlyBuffer());
    }

    @Override
    public void close() {
        scope.close();
        host.close();
        transfer.close();
        program.close();
    }
}
