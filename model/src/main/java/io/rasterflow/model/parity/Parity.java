package io.rasterflow.model.parity;

import io.rasterflow.model.Compute;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimEvaluator;
import io.rasterflow.model.aim.AimLayout;
import io.rasterflow.model.aim.AimReplica;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.probe.AttentiveHead;
import io.rasterflow.model.probe.HeadConfig;
import io.rasterflow.model.probe.HeadProbe;
import io.rasterflow.model.probe.NativeFeatureSet;
import io.rasterflow.model.program.ParameterLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.SortedMap;
import java.util.TreeMap;

/** Runs a reference case through the replica that trains, the evaluator and the probe, in float32. */
public final class Parity {
    /** The probe reads the mean of the last six block outputs, or of all of a shallower trunk. */
    private static final String PROBE_LAYERS = "last6";

    private final ParityCase reference;
    private final ParameterLayout layout;
    private final Map<String, Double> groups = new LinkedHashMap<>();

    private Parity(ParityCase reference) {
        this.reference = reference;
        layout = AimLayout.of(reference.model());
    }

    /**
     * @param file a case of the layout of the AIM oracle files
     * @throws IOException in one line if the file is broken or of another objective
     */
    public static ParityReport run(Path file) throws IOException {
        Parity parity = new Parity(ParityCase.read(file));
        try {
            parity.evaluate();
            parity.train();
            parity.probe();
        } catch (NoSuchElementException | IllegalArgumentException e) {
            throw new IOException(file + " is an incomplete or inconsistent case: " + e.getMessage(), e);
        }
        return new ParityReport(parity.groups);
    }

    private Snapshot initial() {
        SortedMap<String, Tensor> weights = reference.file().tensors("weights.");
        SortedMap<String, Tensor> zeros = layout.unflatten(layout.zeros());
        return new Snapshot(0, weights, zeros, zeros);
    }

    private void evaluate() {
        try (AimEvaluator evaluator = (AimEvaluator) Aim.evaluator(reference.model(), Compute.REFERENCE)) {
            evaluator.load(initial());
            List<Tensor> outputs = evaluator.blockOutputs(reference.pixels(), reference.images());
            for (int i = 0; i < outputs.size(); i++) {
                compare("features", outputs.get(i).values(), "expect.feature." + i);
            }
            Tensor predicted = evaluator.predictions(reference.pixels(), reference.prefixes());
            compare("prediction", predicted.values(), "expect.prediction");
        }
    }

    private void train() {
        ByteBuffer gradient = ByteBuffer.allocateDirect(Math.toIntExact(layout.floats() * Float.BYTES))
                .order(ByteOrder.nativeOrder());
        float[] losses = new float[reference.steps()];
        float[] norms = new float[reference.steps()];
        try (AimReplica replica =
                (AimReplica) Aim.replica(reference.model(), reference.optimizer(), Compute.REFERENCE)) {
            replica.restore(initial());
            for (int step = 0; step < reference.steps(); step++) {
                LossSum loss = replica.gradientsWithPrefixes(reference.pixels(), reference.prefixes(), gradient);
                losses[step] = (float) loss.mean();
                if (step == 0) {
                    compare("loss", FloatBuffer.wrap(new float[] {losses[0]}), "expect.loss");
                    compareEach("gradients", mean(gradient, loss.patches()), "expect.grad.");
                }
                norms[step] = (float) replica.update(gradient, loss.patches(), reference.learningRate());
            }
            compare("lossCurve", FloatBuffer.wrap(losses), "expect.loss_curve");
            compare("gradientNorms", FloatBuffer.wrap(norms), "expect.grad_norm_curve");
            compareEach("finalWeights", replica.snapshot().weights(), "expect.final.");
        }
    }

    private SortedMap<String, Tensor> mean(ByteBuffer gradientSum, long patches) {
        List<float[]> mean = layout.zeros();
        FloatBuffer sums = gradientSum.asFloatBuffer();
        for (float[] bucket : mean) {
            sums.get(bucket);
            for (int i = 0; i < bucket.length; i++) {
                bucket[i] /= patches;
            }
        }
        return layout.unflatten(mean);
    }

    private void probe() {
        String[] names = {"cls_token", "k.weight", "v.weight", "linear.weight"};
        int classes =
                (int) reference.file().tensor("probe.weights.linear.weight").shape()[0];
        float[] features = meanOfLastBlocks();
        long[] labels = reference.file().longs("probe.input.label");
        FloatBuffer weights = FloatBuffer.allocate(probeParameters(names));
        for (String name : names) {
            weights.put(values("probe.weights." + name));
        }
        int dim = reference.model().trunk().dim();
        int heads = reference.model().trunk().heads();
        int[] classOf = new int[labels.length];
        for (int i = 0; i < labels.length; i++) {
            classOf[i] = Math.toIntExact(labels[i]);
        }
        HeadConfig config = new HeadConfig(1, labels.length, 0);
        try (HeadProbe probe = new HeadProbe(new AttentiveHead(dim, heads, classes), config)) {
            HeadProbe.Gradients result = probe.gradients(features, classOf, weights.array());
            compare("probeLogits", FloatBuffer.wrap(result.logits()), "probe.expect.logits");
            compare("probeLoss", FloatBuffer.wrap(new float[] {(float) result.loss()}), "probe.expect.loss");
            int offset = 0;
            for (String name : names) {
                int size = values("probe.weights." + name).remaining();
                FloatBuffer part =
                        FloatBuffer.wrap(result.gradient(), offset, size).slice();
                compare("probeGradients", part, "probe.expect.grad." + name);
                offset += size;
            }
        }
    }

    private int probeParameters(String[] names) {
        int parameters = 0;
        for (String name : names) {
            parameters += values("probe.weights." + name).remaining();
        }
        return parameters;
    }

    /** Our own features, as the evaluator hands them to the probe. */
    private float[] meanOfLastBlocks() {
        try (AimEvaluator evaluator = (AimEvaluator) Aim.evaluator(reference.model(), Compute.REFERENCE);
                NativeFeatureSet set = NativeFeatureSet.of(evaluator.newFeatureSet(
                        reference.images(), evaluator.layers(PROBE_LAYERS).get(0), false))) {
            evaluator.load(initial());
            evaluator.features(reference.pixels(), new int[reference.images()], List.of(set));
            return set.features().toFloatArray();
        }
    }

    private FloatBuffer values(String name) {
        return reference.file().tensor(name).values().duplicate().rewind();
    }

    private void compareEach(String group, SortedMap<String, Tensor> actual, String prefix) {
        TreeMap<String, Tensor> expected = new TreeMap<>(reference.file().tensors(prefix));
        if (!expected.keySet().equals(actual.keySet())) {
            throw new NoSuchElementException("the tensors " + prefix + "* are not those of the model");
        }
        actual.forEach((name, tensor) -> compare(group, tensor.values(), prefix + name));
    }

    private void compare(String group, FloatBuffer actual, String expectedName) {
        FloatBuffer expected = values(expectedName);
        FloatBuffer values = actual.duplicate().rewind();
        if (values.remaining() != expected.remaining()) {
            throw new NoSuchElementException(expectedName + " has " + expected.remaining()
                    + " values where the model has " + values.remaining());
        }
        double difference = 0;
        double scale = 0;
        while (values.hasRemaining()) {
            float wanted = expected.get();
            double distance = Math.abs((double) values.get() - wanted);
            difference = Math.max(difference, distance);
            scale = Math.max(scale, Math.abs(wanted));
        }
        double relative = difference == 0 ? 0 : difference / scale;
        groups.merge(group, Double.isNaN(relative) ? Double.POSITIVE_INFINITY : relative, Math::max);
    }
}
