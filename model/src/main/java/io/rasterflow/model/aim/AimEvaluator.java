package io.rasterflow.model.aim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.Compute;
import io.rasterflow.model.Evaluator;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.probe.AttentiveProbe;
import io.rasterflow.model.probe.FeatureSet;
import io.rasterflow.model.probe.NativeFeatureSet;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeReport;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.ParameterLayout;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** {@link Evaluator} of an AIM model. */
public final class AimEvaluator implements Evaluator {
    /** Tokens of one native call: with more, the activations fall out of the processor's cache. */
    private static final int CHUNK_TOKENS = 1024;

    private final AimConfig config;
    private final ParameterLayout layout;
    private final AimProgram program;
    private final NDManager scope;
    private final NDManager host;
    private final int chunk;
    private final List<NDArray> weights = new ArrayList<>();

    AimEvaluator(AimConfig config, Compute compute) {
        this.config = config;
        layout = AimLayout.of(config);
        program = new AimProgram(config, layout, compute);
        scope = Engines.newScope(program.device());
        host = Engines.newScope();
        chunk = Math.max(1, CHUNK_TOKENS / config.patches());
    }

    @Override
    public void load(Snapshot snapshot) {
        List<float[]> flat = layout.flatten(snapshot.weights());
        if (weights.isEmpty()) {
            for (ParameterLayout.Bucket bucket : layout.buckets()) {
                weights.add(scope.zeros(new Shape(bucket.floats()), DataType.FLOAT32));
            }
            program.bind(scope, weights);
        }
        for (int i = 0; i < flat.size(); i++) {
            try (NDManager call = host.newSubManager()) {
                program.call(call, "copy", weights.get(i), call.create(flat.get(i)));
            }
        }
        try (NDManager call = scope.newSubManager()) {
            program.refresh(call, weights);
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
    public FeatureSet newFeatureSet(int capacity, int lastBlocks) {
        return new NativeFeatureSet(capacity, config.patches(), config.trunk().dim(), lastBlocks);
    }

    @Override
    public void features(ByteBuffer images, int[] labels, FeatureSet features) {
        NativeFeatureSet set = NativeFeatureSet.of(features);
        requireWeights();
        int first = set.reserve(labels);
        for (int start = 0; start < labels.length; start += chunk) {
            try (NDManager call = scope.newSubManager();
                    NDManager wrapped = host.newSubManager()) {
                NDArray pixels = program.images(wrapped, images, start, Math.min(chunk, labels.length - start));
                NDArray into = wrapped.create(first + start);
                program.call(call, "features", pixels, wrapped.create(set.lastBlocks()), into, set.features());
            }
        }
    }

    @Override
    public ProbeReport probe(FeatureSet train, FeatureSet validation, ProbeConfig probeConfig, long seed) {
        try (AttentiveProbe probe = new AttentiveProbe(
                probeConfig, config.trunk().dim(), config.trunk().heads())) {
            return probe.train(NativeFeatureSet.of(train), NativeFeatureSet.of(validation), seed);
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
        program.close();
    }
}
