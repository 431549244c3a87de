package io.rasterflow.model.aim;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
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
    private final int chunk;
    private NDArray weights;

    AimEvaluator(AimConfig config, Compute compute) {
        this.config = config;
        layout = AimLayout.of(config);
        program = new AimProgram(config, layout, compute.precision());
        scope = Engines.newScope();
        chunk = Math.max(1, CHUNK_TOKENS / config.patches());
    }

    @Override
    public void load(Snapshot snapshot) {
        float[] flat = layout.flatten(snapshot.weights());
        if (weights != null) {
            weights.close();
        }
        try (NDManager call = scope.newSubManager()) {
            // The duplicate lies in the engine's aligned memory, so that the loss does not depend on Java's allocator.
            weights = call.create(flat).duplicate();
            weights.attach(scope);
        }
    }

    @Override
    public LossSum loss(ByteBuffer images, long[] sampleKeys) {
        long[] prefixes = program.prefixes(sampleKeys);
        LossSum sum = LossSum.ZERO;
        for (int start = 0; start < prefixes.length; start += chunk) {
            long[] some = Arrays.copyOfRange(prefixes, start, Math.min(prefixes.length, start + chunk));
            try (NDManager call = scope.newSubManager()) {
                NDArray pixels = program.images(call, images, start, some.length);
                NDList loss = program.call(call, "loss", weights(), pixels, call.create(some));
                sum = sum.plus(new LossSum(loss.singletonOrThrow().getFloat(), program.countedPatches(some)));
            }
        }
        return sum;
    }

    /** Mean predictions (B, K, V) of every output under the prefix mask, for comparison with other implementations. */
    public Tensor predictions(ByteBuffer images, long[] prefixes) {
        try (NDManager call = scope.newSubManager()) {
            NDArray pixels = program.images(call, images, 0, prefixes.length);
            NDList result = program.call(call, "predictions", weights(), pixels, call.create(prefixes));
            return copy(result.singletonOrThrow());
        }
    }

    /** Outputs (B, K, D) of every block under bidirectional attention. */
    public List<Tensor> blockOutputs(ByteBuffer images, int count) {
        try (NDManager call = scope.newSubManager()) {
            NDArray pixels = program.images(call, images, 0, count);
            List<Tensor> outputs = new ArrayList<>();
            program.call(call, "block_outputs", weights(), pixels).forEach(output -> outputs.add(copy(output)));
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
        int first = set.reserve(labels);
        for (int start = 0; start < labels.length; start += chunk) {
            try (NDManager call = scope.newSubManager()) {
                NDArray pixels = program.images(call, images, start, Math.min(chunk, labels.length - start));
                NDArray into = call.create(first + start);
                program.call(call, "features", weights(), pixels, call.create(set.lastBlocks()), into, set.features());
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

    private NDArray weights() {
        if (weights == null) {
            throw new IllegalStateException("the evaluator has no weights yet; load a snapshot first");
        }
        return weights;
    }

    private static Tensor copy(NDArray array) {
        float[] values = array.toType(DataType.FLOAT32, false).toFloatArray();
        return new Tensor(array.getShape().getShape(), FloatBuffer.wrap(values).asReadOnlyBuffer());
    }

    @Override
    public void close() {
        scope.close();
        program.close();
    }
}
