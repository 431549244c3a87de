package io.rasterflow.model.probe;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Trains R heads of one kind that differ in the learning rate alone, in one pass over cached features: they begin alike,
 * see the same batches, share the batch statistics, and each does what it would do alone.
 *
 * <p>X images, N patches, D width, L classes, F parameters of a head. Confined to one thread.
 */
public final class HeadProbe implements AutoCloseable {
    private static final String SHARED = "heads";
    private static final int PREDICTED = 5;

    private final Head head;
    private final HeadConfig config;
    private final NDManager scope;
    private final Program program;

    public HeadProbe(Head head, HeadConfig config) {
        this.head = head;
        this.config = config;
        scope = Engines.newScope();
        Map<String, Object> attributes = new HashMap<>(head.attributes());
        attributes.put("width", head.dim());
        attributes.put("classes", head.classes());
        attributes.put("batch", config.batch());
        attributes.put("weight_decay", config.weightDecay());
        attributes.put("clip", 3.0);
        attributes.put("momentum", 0.1);
        attributes.put("eps", 1e-6);
        String library = head.program().getKey();
        Map<String, String> sources = Map.of(
                library,
                ProgramArchive.source(HeadProbe.class, library + ".py"),
                SHARED,
                ProgramArchive.source(HeadProbe.class, SHARED + ".py"));
        program = Program.load(library, head.program().getValue(), sources, attributes);
    }

    /**
     * R trained heads.
     *
     * @param weights (R, F)
     * @param running mean and variance of the features, (2, D)
     * @param losses mean cross-entropy of each head over the last epoch, R values
     */
    public record Heads(NDManager scope, NDArray weights, NDArray running, double[] losses) implements AutoCloseable {
        @Override
        public void close() {
            scope.close();
        }
    }

    /**
     * A pure function of the features, their labels and the seed.
     *
     * @param images indices of those to train on
     * @param rates peaks of the schedules, R values
     * @return R heads; close them to free their memory
     */
    public Heads train(NativeFeatureSet set, long[] images, List<Double> rates, long seed) {
        NDManager result = scope.newSubManager();
        SplittableRandom random = new SplittableRandom(seed);
        NDArray weights = initial(result, random, rates.size());
        NDArray running = running(result);
        double[] losses = {};
        try (NDManager run = scope.newSubManager()) {
            NDArray first = run.zeros(weights.getShape(), DataType.FLOAT32);
            NDArray second = run.zeros(weights.getShape(), DataType.FLOAT32);
            NDArray labels = run.create(set.labels());
            NDArray peaks =
                    run.create(rates.stream().mapToDouble(Double::doubleValue).toArray());
            NDList known = program.call(run, "prepare", set.features(), run.create((long) set.size()));
            long perEpoch = Math.max(1, images.length / config.batch());
            NDArray steps = run.create(config.epochs() * perEpoch);
            for (int epoch = 0; epoch < config.epochs(); epoch++) {
                try (NDManager call = run.newSubManager()) {
                    NDArray order = call.create(shuffled(images, random));
                    losses = program.call(
                                    call,
                                    "epoch",
                                    set.features(),
                                    known.get(0),
                                    known.get(1),
                                    labels,
                                    order,
                                    call.create(epoch * perEpoch),
                                    steps,
                                    peaks,
                                    weights,
                                    first,
                                    second,
                                    running)
                            .singletonOrThrow()
                            .toDoubleArray();
                }
            }
        }
        return new Heads(result, weights, running, losses);
    }

    /** What each of the R heads says about some images of a set. */
    public List<Predictions> predict(Heads heads, NativeFeatureSet set, long[] images) {
        try (NDManager run = scope.newSubManager()) {
            NDArray labels = run.create(set.labels());
            NDArray wanted = run.create((long) Math.min(PREDICTED, head.classes()));
            NDList result = program.call(
                    run,
                    "predict",
                    set.features(),
                    labels,
                    run.create(images),
                    wanted,
                    heads.weights(),
                    heads.running());
            return Predictions.of(set, images, result.get(0), result.get(1).toDoubleArray());
        }
    }

    /**
     * Where the first of the heads looks in some images of a set.
     *
     * @throws IllegalStateException for a head that reads means over the patches
     */
    public List<AttentionMap> attention(Heads heads, NativeFeatureSet set, long[] images) {
        if (!(head instanceof AttentiveHead attentive)) {
            throw new IllegalStateException("a head on means over the patches looks at no patch");
        }
        try (NDManager run = scope.newSubManager()) {
            NDArray maps = program.call(
                            run, "attention", set.features(), run.create(images), heads.weights(), heads.running())
                    .singletonOrThrow();
            return AttentionMap.of(attentive.heads(), images.length, maps.toFloatArray());
        }
    }

    /**
     * One batch in training mode, of one head.
     *
     * @param features (B, N, D) row-major, or (B, D) for a head that reads means over the patches
     * @param labels B labels
     * @param weights F parameters
     */
    public Gradients gradients(float[] features, int[] labels, float[] weights) {
        try (NDManager run = scope.newSubManager()) {
            Shape shape = head.pooled()
                    ? new Shape(labels.length, head.dim())
                    : new Shape(labels.length, features.length / labels.length / head.dim(), head.dim());
            NDArray x = run.create(features, shape);
            long[] truth = Arrays.stream(labels).asLongStream().toArray();
            NDArray one = run.create(weights, new Shape(1, weights.length));
            NDList result = program.call(run, "gradients", x, run.create(truth), one, running(run));
            return new Gradients(
                    result.get(0).toFloatArray(),
                    result.get(1).toFloatArray()[0],
                    result.get(2).toFloatArray());
        }
    }

    /**
     * @param logits (B, L) row-major
     * @param loss mean cross-entropy
     * @param gradient of the loss, F values
     */
    public record Gradients(float[] logits, double loss, float[] gradient) {}

    /** R heads that begin alike, in the engine's aligned memory. */
    private NDArray initial(NDManager result, SplittableRandom random, int rates) {
        float[] one = head.initialWeights(random);
        float[] all = new float[rates * one.length];
        for (int r = 0; r < rates; r++) {
            System.arraycopy(one, 0, all, r * one.length, one.length);
        }
        try (NDManager call = scope.newSubManager()) {
            NDArray weights = call.create(all, new Shape(rates, one.length)).duplicate();
            weights.attach(result);
            return weights;
        }
    }

    /** Running mean 0 and variance 1, (2, D). */
    private NDArray running(NDManager run) {
        float[] values = new float[2 * head.dim()];
        Arrays.fill(values, head.dim(), values.length, 1f);
        return run.create(values, new Shape(2, head.dim()));
    }

    private static long[] shuffled(long[] images, SplittableRandom random) {
        long[] order = Draws.permutation(images.length, random);
        for (int i = 0; i < order.length; i++) {
            order[i] = images[(int) order[i]];
        }
        return order;
    }

    @Override
    public void close() {
        program.close();
        scope.close();
    }
}
