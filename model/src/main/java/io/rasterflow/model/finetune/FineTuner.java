package io.rasterflow.model.finetune;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.Compute;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Tensors;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A pre-trained trunk with a classifier on top while both, or adapters and classifier, are trained; {@code finetune.py}
 * holds the formulas. Confined to one thread.
 *
 * <p>B images, L classes, D width, F trained values, G learning-rate groups.
 */
public final class FineTuner implements AutoCloseable {
    /** Tokens of one native call of the evaluation: with more, the activations fall out of the processor's cache. */
    private static final int CHUNK_TOKENS = 1024;

    private final AimConfig model;
    private final FineTuneConfig config;
    private final FineTuneParameters parameters;
    private final FineTuneProgram program;
    private final NDManager scope;
    private final double[] rateScales;
    private final double[] decays;
    private final NDArray frozen;
    private final Weights current;
    private final Weights average;
    private final NDArray firstMoments;
    private final NDArray secondMoments;
    private SortedMap<String, Tensor> pretrained = new TreeMap<>();
    private long step;

    /**
     * What is trained, in the engine.
     *
     * @param values (F)
     * @param statistics (2, D) mean and variance of the head's batch normalisation
     */
    private record Weights(NDArray values, NDArray statistics) {}

    /** A model without weights until some are loaded. */
    public FineTuner(AimConfig model, FineTuneConfig config, Compute compute) {
        this.model = model;
        this.config = config;
        parameters = FineTuneParameters.of(model, config);
        FineTuneLayout trained = parameters.trained();
        boolean layered = config.kind() == FineTuneConfig.Kind.FULL;
        rateScales = trained.groups().stream()
                .mapToDouble(group -> group.rateScale(
                        layered ? config.layerDecay() : 1, model.trunk().blocks()))
                .toArray();
        decays = trained.groups().stream()
                .mapToDouble(group -> group.decayed() ? config.weightDecay() : 0)
                .toArray();
        program = new FineTuneProgram(model, config, parameters, compute);
        scope = Engines.newScope(program.device());
        frozen = zeros(new Shape(parameters.frozen().floats()));
        Shape values = new Shape(trained.floats());
        Shape statistics = new Shape(2, model.trunk().dim());
        current = new Weights(zeros(values), zeros(statistics));
        average = config.ema() > 0 ? new Weights(zeros(values), zeros(statistics)) : current;
        firstMoments = zeros(values);
        secondMoments = zeros(values);
    }

    private NDArray zeros(Shape shape) {
        return scope.zeros(shape, DataType.FLOAT32);
    }

    /**
     * Takes pre-trained weights, draws new ones for adapters and head, and forgets all training.
     *
     * @param weights by checkpoint name; a pixel head among them is kept for {@link #model} and otherwise ignored
     * @throws IllegalArgumentException naming the first tensor of the trunk that is missing or of another shape
     */
    public void load(SortedMap<String, Tensor> weights) {
        assign(frozen, parameters.frozen().flatten(weights));
        SortedMap<String, Tensor> start = new TreeMap<>(weights);
        start.putAll(
                FineTuneInitializer.draw(parameters.trained(), model.trunk().dim(), config.seed()));
        pretrained = Collections.unmodifiableSortedMap(new TreeMap<>(weights));
        restore(start);
    }

    /**
     * Overwrites what is trained, by name as {@link #trained} gives it, and forgets moments, averages and statistics.
     *
     * @throws IllegalArgumentException naming the first tensor that is missing or of another shape
     */
    public void restore(SortedMap<String, Tensor> trained) {
        int dim = model.trunk().dim();
        float[] values = parameters.trained().flatten(trained);
        float[] statistics = new float[2 * dim];
        Arrays.fill(statistics, dim, 2 * dim, 1f);
        for (Weights weights : new Weights[] {current, average}) {
            assign(weights.values(), values);
            assign(weights.statistics(), statistics);
        }
        assign(firstMoments, new float[values.length]);
        assign(secondMoments, new float[values.length]);
        step = 0;
    }

    private void assign(NDArray to, float[] values) {
        try (NDManager call = scope.newSubManager()) {
            program.call(call, "assign", to, call.create(values, to.getShape()));
        }
    }

    /**
     * What a step saw.
     *
     * @param loss mean cross-entropy before the update
     * @param gradientNorm before clipping; where either is not finite, nothing has been changed
     */
    public record Step(double loss, double gradientNorm) {}

    /**
     * One optimizer step.
     *
     * @param images (B, C, H, W) float32 direct native order
     * @param targets (B, L) row-major, rows sum to 1
     * @param learningRate of the top; layers below take their share of it
     */
    public Step step(ByteBuffer images, float[] targets, double learningRate) {
        double[] rates =
                Arrays.stream(rateScales).map(scale -> learningRate * scale).toArray();
        try (NDManager call = scope.newSubManager()) {
            NDList result = program.call(
                    call,
                    "step",
                    frozen,
                    current.values(),
                    firstMoments,
                    secondMoments,
                    current.statistics(),
                    images(call, images, 0, targets.length / config.classes()),
                    targets(call, targets),
                    call.create(rates),
                    call.create(decays),
                    call.create((double) (step + 1)));
            Step taken = new Step(result.get(0).getFloat(), result.get(1).getDouble());
            if (Double.isFinite(taken.loss() + taken.gradientNorm())) {
                step++;
                follow(call);
            }
            return taken;
        }
    }

    /** Moves the average towards the weights. */
    private void follow(NDManager call) {
        if (average != current) {
            double keep = keep(config.ema(), step);
            program.call(
                    call,
                    "average",
                    average.values(),
                    current.values(),
                    average.statistics(),
                    current.statistics(),
                    call.create(keep));
        }
    }

    /** How much of the moving average stays in step t, counted from 1: min(decay, (1 + t) / (10 + t)). */
    public static double keep(double decay, long t) {
        return Math.min(decay, (1.0 + t) / (10.0 + t));
    }

    /** Mean cross-entropy in training mode; changes nothing. */
    public double loss(ByteBuffer images, float[] targets) {
        try (NDManager call = scope.newSubManager()) {
            return gradient(call, images, targets).get(0).getFloat();
        }
    }

    /** Gradient of {@link #loss} with respect to everything that is trained, by name; changes nothing. */
    public SortedMap<String, Tensor> gradients(ByteBuffer images, float[] targets) {
        try (NDManager call = scope.newSubManager()) {
            NDArray gradient = gradient(call, images, targets).get(1);
            return parameters.trained().unflatten(gradient.toFloatArray());
        }
    }

    private NDList gradient(NDManager call, ByteBuffer images, float[] targets) {
        NDArray pixels = images(call, images, 0, targets.length / config.classes());
        return program.call(call, "gradient", frozen, current.values(), pixels, targets(call, targets));
    }

    /** How the averaged weights (the current ones without an average) do on labelled images. */
    public Scores evaluate(ByteBuffer images, int[] labels) {
        BatchMixer.requireLabels(labels, config.classes());
        long[] truth = Arrays.stream(labels).asLongStream().toArray();
        int chunk = Math.max(1, CHUNK_TOKENS / model.patches());
        Scores scores = Scores.ZERO;
        for (int start = 0; start < labels.length; start += chunk) {
            int count = Math.min(chunk, labels.length - start);
            try (NDManager call = scope.newSubManager()) {
                NDArray some = call.create(Arrays.copyOfRange(truth, start, start + count));
                NDArray pixels = images(call, images, start, count);
                double[] result = program.call(
                                call, "scores", frozen, average.values(), average.statistics(), pixels, some)
                        .singletonOrThrow()
                        .toDoubleArray();
                scores = scores.plus(new Scores(count, (long) result[0], (long) result[1], result[2]));
            }
        }
        return scores;
    }

    /** Logits (B, L) of the averaged weights (the current ones without an average) in evaluation mode. */
    public float[] logits(ByteBuffer images, int count) {
        try (NDManager call = scope.newSubManager()) {
            NDArray pixels = images(call, images, 0, count);
            return program.call(call, "predict", frozen, average.values(), average.statistics(), pixels)
                    .singletonOrThrow()
                    .toFloatArray();
        }
    }

    /** Everything that is trained, by name, as it stands (not averaged). */
    public SortedMap<String, Tensor> trained() {
        return parameters.trained().unflatten(current.values().toFloatArray());
    }

    /** The trunk in its fine-tuned form, adapters merged, averaged; beside it what else the checkpoint held. */
    public SortedMap<String, Tensor> model() {
        SortedMap<String, Tensor> all = new TreeMap<>(pretrained);
        try (NDManager call = scope.newSubManager()) {
            NDList merged = program.call(call, "merged", frozen, average.values());
            for (int i = 0; i < merged.size(); i++) {
                NDArray one = merged.get(i);
                FloatBuffer values = FloatBuffer.wrap(one.toFloatArray()).asReadOnlyBuffer();
                all.put(parameters.trunk().get(i), new Tensor(one.getShape().getShape(), values));
            }
        }
        return all;
    }

    /** The averaged adapters, {@code trunk.blocks.I.attn.{q,v,proj}.lora_{A,B}}; empty without adapters. */
    public SortedMap<String, Tensor> adapters() {
        SortedMap<String, Tensor> adapters = averaged();
        adapters.keySet()
                .removeIf(
                        name -> !name.endsWith(FineTuneParameters.LORA_A) && !name.endsWith(FineTuneParameters.LORA_B));
        return adapters;
    }

    /** The averaged head under the names of ml-aim's attentive classifier, with its running statistics. */
    public SortedMap<String, Tensor> head() {
        SortedMap<String, Tensor> head = new TreeMap<>();
        averaged().forEach((name, tensor) -> {
            if (name.startsWith(FineTuneParameters.HEAD)) {
                head.put(name.substring(FineTuneParameters.HEAD.length()), tensor);
            }
        });
        int dim = model.trunk().dim();
        float[] statistics = average.statistics().toFloatArray();
        long[] shape = {dim};
        head.put("bn.running_mean", new Tensor(shape, FloatBuffer.wrap(Arrays.copyOf(statistics, dim))));
        float[] variance = Arrays.copyOfRange(statistics, dim, 2 * dim);
        head.put("bn.running_var", new Tensor(shape, FloatBuffer.wrap(variance)));
        return head;
    }

    /** Everything that is trained, averaged. */
    public SortedMap<String, Tensor> averaged() {
        return parameters.trained().unflatten(average.values().toFloatArray());
    }

    /** Trained values, padding not counted. */
    public long trainable() {
        return parameters.trained().size();
    }

    /** Learning-rate groups by ascending offset. */
    public FineTuneLayout layout() {
        return parameters.trained();
    }

    /** Tensors held at this moment; constant between calls. */
    public int liveTensors() {
        return scope.getManagedArrays().size();
    }

    private NDArray images(NDManager call, ByteBuffer images, int start, int count) {
        Shape shape = new Shape(count, model.channels(), model.imageSize(), model.imageSize());
        return Tensors.wrap(call, "images", images, start * (shape.size() / count), shape)
                .toDevice(program.device(), false);
    }

    private NDArray targets(NDManager call, float[] targets) {
        return call.create(targets, new Shape(targets.length / config.classes(), config.classes()));
    }

    @Override
    public void close() {
        scope.close();
        program.close();
    }
}
