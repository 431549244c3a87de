package io.rasterflow.model.probe;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.optimizer.AdamW;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The attentive probe (arXiv 2401.08541, section 4.2): batch normalisation, attention with one learned query, linear
 * classifier. Its program {@code attentive.py} holds the formulas; AdamW (0.9, 0.999), clip 3, cosine to 1e-5.
 *
 * <p>X images, N patches, D width, L classes; F = D + 2·D² + L·D parameters: query, keys, values, classifier.
 */
public final class AttentiveProbe implements AutoCloseable {
    private static final String LIBRARY = "attentive";
    private static final double FLOOR = 1e-5;
    private static final double QUERY_DEVIATION = 0.02;

    private final ProbeConfig config;
    private final int dim;
    private final int heads;
    private final NDManager scope;

    /**
     * @param dim width D of the features
     * @param heads as the trunk's
     */
    public AttentiveProbe(ProbeConfig config, int dim, int heads) {
        this.config = config;
        this.dim = dim;
        this.heads = heads;
        scope = Engines.newScope();
    }

    /** Trains on one set and returns the top-1 accuracy on the other; a pure function of the features and the seed. */
    public ProbeReport train(NativeFeatureSet train, NativeFeatureSet validation, long seed) {
        requireFit("training", train);
        requireFit("validation", validation);
        int steps = config.epochs() * Math.max(1, train.size() / config.batch());
        try (Program program = load(steps);
                NDManager run = scope.newSubManager()) {
            SplittableRandom random = new SplittableRandom(seed);
            NDArray weights = run.create(initialWeights(random)).duplicate();
            NDArray first = run.zeros(weights.getShape(), DataType.FLOAT32);
            NDArray second = run.zeros(weights.getShape(), DataType.FLOAT32);
            NDArray running = running(run);
            NDArray labels = run.create(train.labels());
            double loss = Double.NaN;
            for (int epoch = 0; epoch < config.epochs(); epoch++) {
                try (NDManager call = run.newSubManager()) {
                    NDArray order = call.create(permutation(train.size(), random));
                    NDArray taken = call.create(epoch * (steps / config.epochs()));
                    loss = program.call(
                                    call,
                                    "epoch",
                                    train.features(),
                                    labels,
                                    order,
                                    taken,
                                    weights,
                                    first,
                                    second,
                                    running)
                            .singletonOrThrow()
                            .getDouble();
                }
            }
            NDArray truth = run.create(validation.labels());
            long correct = program.call(run, "correct", validation.features(), truth, weights, running)
                    .singletonOrThrow()
                    .getLong();
            return new ProbeReport((double) correct / validation.size(), loss, validation.size());
        }
    }

    /**
     * One batch in training mode.
     *
     * @param features (B, N, D) row-major
     * @param labels B labels
     * @param weights F parameters
     */
    public Gradients gradients(float[] features, int[] labels, float[] weights) {
        try (Program program = load(1);
                NDManager run = scope.newSubManager()) {
            Shape shape = new Shape(labels.length, features.length / labels.length / dim, dim);
            NDArray x = run.create(features, shape);
            long[] truth = new long[labels.length];
            for (int i = 0; i < truth.length; i++) {
                truth[i] = labels[i];
            }
            NDList result = program.call(run, "gradients", x, run.create(truth), run.create(weights), running(run));
            return new Gradients(
                    result.get(0).toFloatArray(),
                    result.get(1).getFloat(),
                    result.get(2).toFloatArray());
        }
    }

    /**
     * @param logits (B, L) row-major
     * @param loss mean cross-entropy
     * @param gradient of the loss, F values
     */
    public record Gradients(float[] logits, double loss, float[] gradient) {}

    private Program load(int steps) {
        Map<String, Object> attributes = Map.ofEntries(
                Map.entry("heads", heads),
                Map.entry("width", dim),
                Map.entry("classes", config.classes()),
                Map.entry("batch", config.batch()),
                Map.entry("steps", steps),
                Map.entry("peak", config.learningRate()),
                Map.entry("floor", Math.min(FLOOR, config.learningRate())),
                Map.entry("weight_decay", config.weightDecay()),
                Map.entry("clip", 3.0),
                Map.entry("momentum", 0.1),
                Map.entry("eps", 1e-6));
        String source = ProgramArchive.source(AttentiveProbe.class, "attentive.py");
        return Program.load(
                LIBRARY, "AttentiveProbe", Map.of(LIBRARY, source, AdamW.LIBRARY, AdamW.source()), attributes);
    }

    /** Running mean 0 and variance 1, (2, D). */
    private NDArray running(NDManager run) {
        float[] values = new float[2 * dim];
        Arrays.fill(values, dim, 2 * dim, 1f);
        return run.create(values, new Shape(2, dim));
    }

    /** The query normal with deviation 0.02, linears uniform within ±1/√D. */
    private float[] initialWeights(SplittableRandom random) {
        float[] weights = new float[dim + 2 * dim * dim + config.classes() * dim];
        for (int i = 0; i < dim; i++) {
            // Box-Muller by hand: the gaussian of java.util.random is not fixed across Java versions.
            double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - unit(random)));
            weights[i] = (float) (QUERY_DEVIATION * radius * StrictMath.cos(2 * StrictMath.PI * unit(random)));
        }
        double bound = 1 / Math.sqrt(dim);
        for (int i = dim; i < weights.length; i++) {
            weights[i] = (float) ((2 * unit(random) - 1) * bound);
        }
        return weights;
    }

    private static double unit(SplittableRandom random) {
        return (random.nextLong() >>> 11) * 0x1p-53;
    }

    private static long[] permutation(int size, SplittableRandom random) {
        long[] order = new long[size];
        for (int i = 0; i < size; i++) {
            int j = (int) (unit(random) * (i + 1));
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    private void requireFit(String role, NativeFeatureSet set) {
        if (set.size() < 1) {
            throw new IllegalArgumentException("the " + role + " features of the probe are empty");
        }
        if (set.lastBlocks() != config.lastBlocks()) {
            throw new IllegalArgumentException("the " + role + " features are the mean of the last " + set.lastBlocks()
                    + " blocks but probe.lastBlocks is " + config.lastBlocks());
        }
        for (long label : set.labels()) {
            if (label < 0 || label >= config.classes()) {
                throw new IllegalArgumentException("label " + label + " of the " + role + " features is outside 0.."
                        + (config.classes() - 1) + "; set probe.classes to fit the data");
            }
        }
    }

    @Override
    public void close() {
        scope.close();
    }
}
