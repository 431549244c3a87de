package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.Models.SMALL;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimEvaluator;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.finetune.BatchMixer;
import io.rasterflow.model.finetune.FineTuneConfig;
import io.rasterflow.model.finetune.FineTuneConfig.Kind;
import io.rasterflow.model.finetune.FineTuneLayout;
import io.rasterflow.model.finetune.FineTuner;
import io.rasterflow.model.finetune.Scores;
import io.rasterflow.tests.Paired;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Adapters and full fine-tuning of a small trunk, in float32. */
@Paired
class FineTunerTest {
    private static final int IMAGES = 6;
    private static final int CLASSES = 7;
    private static final int DIM = SMALL.trunk().dim();
    private static final int BLOCKS = SMALL.trunk().blocks();

    private static Snapshot pretrained;
    private static ByteBuffer images;
    private static int[] labels;

    @BeforeAll
    static void weights() {
        try (Replica replica = Aim.replica(SMALL, Models.OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(11);
            pretrained = replica.snapshot();
        }
        images = Models.images(SMALL, IMAGES, 3);
        labels = new Random(4).ints(IMAGES, 0, CLASSES).toArray();
    }

    private static FineTuneConfig config(Kind kind, double ema) {
        return new FineTuneConfig(kind, 3, 6, CLASSES, 2, 1, IMAGES, 1e-3, 0.05, 0.5, 0, 0, 0, 0, 0.1, 0, ema, 0, 5);
    }

    private static FineTuner tuner(Kind kind, double ema) {
        FineTuner tuner = new FineTuner(SMALL, config(kind, ema), Compute.REFERENCE);
        tuner.load(pretrained.weights());
        return tuner;
    }

    private static float[] targets() {
        return new BatchMixer(config(Kind.LORA, 0), 1, 28)
                .apply(images, labels, new long[IMAGES], 0)
                .targets();
    }

    private static void train(FineTuner tuner, int steps) {
        for (int i = 0; i < steps; i++) {
            FineTuner.Step step = tuner.step(images, targets(), 1e-2);
            assertTrue(step.loss() > 0 && Double.isFinite(step.gradientNorm()), step.toString());
        }
    }

    private static float[] values(Tensor tensor) {
        float[] values = new float[tensor.values().capacity()];
        tensor.values().duplicate().rewind().get(values);
        return values;
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void atTheStartTheLogitsAreThoseOfTheFrozenTrunkUnderTheSameHead(Kind kind) {
        try (FineTuner tuner = tuner(kind, 0);
                AimEvaluator frozen = (AimEvaluator) Aim.evaluator(SMALL, Compute.REFERENCE)) {
            frozen.load(pretrained);
            List<Tensor> outputs = frozen.blockOutputs(images, IMAGES);
            double[] expected = head(outputs, tuner.head());
            float[] logits = tuner.logits(images, IMAGES);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], logits[i], 1e-5, "logit " + i);
            }
        }
    }

    /** The attentive head in evaluation mode, written out: keys and values are formed, head by head. */
    private static double[] head(List<Tensor> outputs, SortedMap<String, Tensor> head) {
        int patches = SMALL.patches();
        int heads = SMALL.trunk().heads();
        int d = DIM / heads;
        double[][] sum = new double[IMAGES * patches][DIM];
        for (Tensor output : outputs) {
            float[] x = values(output);
            for (int i = 0; i < x.length; i++) {
                sum[i / DIM][i % DIM] += x[i] / outputs.size();
            }
        }
        float[] mean = values(head.get("bn.running_mean"));
        float[] variance = values(head.get("bn.running_var"));
        for (double[] token : sum) {
            for (int c = 0; c < DIM; c++) {
                token[c] = (token[c] - mean[c]) / Math.sqrt(variance[c] + 1e-6);
            }
        }
        float[] query = values(head.get("cls_token"));
        double[] logits = new double[IMAGES * CLASSES];
        for (int b = 0; b < IMAGES; b++) {
            double[] pooled = new double[DIM];
            for (int h = 0; h < heads; h++) {
                double[] weights = new double[patches];
                for (int n = 0; n < patches; n++) {
                    double[] key = product(values(head.get("k.weight")), sum[b * patches + n]);
                    for (int c = h * d; c < (h + 1) * d; c++) {
                        weights[n] += query[c] * key[c] / Math.sqrt(d);
                    }
                    weights[n] = Math.exp(weights[n]);
                }
                double total = Arrays.stream(weights).sum();
                for (int n = 0; n < patches; n++) {
                    double[] value = product(values(head.get("v.weight")), sum[b * patches + n]);
                    for (int c = h * d; c < (h + 1) * d; c++) {
                        pooled[c] += weights[n] / total * value[c];
                    }
                }
            }
            System.arraycopy(product(values(head.get("linear.weight")), pooled), 0, logits, b * CLASSES, CLASSES);
        }
        return logits;
    }

    private static double[] product(float[] matrix, double[] vector) {
        double[] result = new double[matrix.length / vector.length];
        for (int i = 0; i < matrix.length; i++) {
            result[i / vector.length] += matrix[i] * vector[i % vector.length];
        }
        return result;
    }

    @Test
    void adaptersLearnAndEverythingElseOfTheTrunkStaysBitIdentical() {
        try (FineTuner tuner = tuner(Kind.LORA, 0)) {
            assertEquals(2 * 3 * 2 * 3 * DIM + DIM + 2 * DIM * DIM + CLASSES * DIM, tuner.trainable());
            SortedMap<String, Tensor> first = tuner.gradients(images, targets());
            assertTrue(first.keySet().stream().noneMatch(name -> name.contains("qkv") || name.contains("mlp")));
            first.forEach((name, gradient) -> {
                // B is zero, so at first nothing reaches A; everything else learns at once.
                boolean zero = values(gradient).length == 0
                        || FloatBuffer.wrap(values(gradient)).equals(FloatBuffer.allocate(values(gradient).length));
                assertEquals(name.endsWith("lora_A"), zero, name);
            });
            SortedMap<String, Tensor> before = tuner.adapters();
            train(tuner, 3);
            tuner.adapters()
                    .forEach((name, tensor) -> assertFalse(
                            Arrays.equals(values(before.get(name)), values(tensor)), name + " did not move"));
            SortedMap<String, Tensor> merged = tuner.model();
            assertEquals(pretrained.weights().keySet(), merged.keySet());
            pretrained.weights().forEach((name, tensor) -> {
                float[] old = values(tensor);
                float[] now = values(merged.get(name));
                if (name.endsWith("attn.qkv.weight")) {
                    int slice = DIM * DIM;
                    assertArrayEquals(
                            Arrays.copyOfRange(old, slice, 2 * slice), Arrays.copyOfRange(now, slice, 2 * slice));
                    assertFalse(Arrays.equals(Arrays.copyOf(old, slice), Arrays.copyOf(now, slice)));
                } else if (name.endsWith("attn.proj.weight")) {
                    assertFalse(Arrays.equals(old, now), name);
                } else {
                    assertArrayEquals(old, now, name);
                }
            });
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void gradientsAgreeWithFiniteDifferences(Kind kind) {
        try (FineTuner tuner = tuner(kind, 0)) {
            train(tuner, 2); // A and B are both away from zero now
            float[] targets = targets();
            SortedMap<String, Tensor> at = tuner.trained();
            SortedMap<String, Tensor> gradients = tuner.gradients(images, targets);
            for (String part :
                    List.of("blocks.0.attn", "blocks.1.attn", "probe.", kind == Kind.FULL ? "mlp" : "lora")) {
                double squares = 0;
                for (String name : gradients.keySet()) {
                    for (float g : name.contains(part) ? values(gradients.get(name)) : new float[0]) {
                        squares += (double) g * g;
                    }
                }
                assertTrue(squares > 0, part);
                // Along the gradient the slope is its norm.
                double norm = Math.sqrt(squares);
                double h = 3e-3;
                double up = lossAt(tuner, at, gradients, part, h / norm, targets);
                double down = lossAt(tuner, at, gradients, part, -h / norm, targets);
                assertEquals(norm, (up - down) / (2 * h), 5e-3 * norm, part);
            }
        }
    }

    private static double lossAt(
            FineTuner tuner,
            SortedMap<String, Tensor> at,
            SortedMap<String, Tensor> gradients,
            String part,
            double factor,
            float[] targets) {
        SortedMap<String, Tensor> moved = new TreeMap<>(at);
        at.forEach((name, tensor) -> {
            if (name.contains(part)) {
                float[] values = values(tensor);
                float[] gradient = values(gradients.get(name));
                for (int i = 0; i < values.length; i++) {
                    values[i] += (float) (factor * gradient[i]);
                }
                moved.put(name, Models.tensor(values, tensor.shape()));
            }
        });
        tuner.restore(moved);
        return tuner.loss(images, targets);
    }

    @Test
    void mergedWeightsGiveTheLogitsOfTheAdapters() {
        try (FineTuner adapted = tuner(Kind.LORA, 0);
                AimEvaluator merged = (AimEvaluator) Aim.evaluator(SMALL, Compute.REFERENCE)) {
            train(adapted, 4);
            merged.load(new Snapshot(0, adapted.model(), new TreeMap<>(), new TreeMap<>()));
            double[] expected = head(merged.blockOutputs(images, IMAGES), adapted.head());
            float[] logits = adapted.logits(images, IMAGES);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], logits[i], 1e-5 * Math.max(1, Math.abs(expected[i])), "logit " + i);
            }
        }
    }

    @Test
    void aFullStepFollowsTheLayerDecayAndDecaysMatricesAlone() {
        try (FineTuner tuner = tuner(Kind.FULL, 0)) {
            List<Integer> depths = new ArrayList<>();
            for (FineTuneLayout.Group group : tuner.layout().groups()) {
                depths.add(group.depth());
                assertEquals(Math.pow(0.5, BLOCKS + 1 - group.depth()), group.rateScale(0.5, BLOCKS), 1e-12);
            }
            assertEquals(List.of(0, 0, 1, 1, 2, 2, 3), depths);
            assertEquals(pretrainedTrunk() - 2L * DIM + DIM + 2 * DIM * DIM + CLASSES * DIM, tuner.trainable());
            SortedMap<String, Tensor> before = tuner.trained();
            SortedMap<String, Tensor> gradients = tuner.gradients(images, targets());
            double rate = 1e-2;
            tuner.step(images, targets(), rate);
            // AdamW's first step moves every weight by its learning rate against the sign of its gradient.
            tuner.trained().forEach((name, tensor) -> {
                double own = rate * Math.pow(0.5, BLOCKS + 1 - depth(name));
                double decay = tensor.shape().length > 1 ? 0.05 : 0;
                float[] old = values(before.get(name));
                float[] now = values(tensor);
                float[] gradient = values(gradients.get(name));
                for (int i = 0; i < now.length; i++) {
                    if (Math.abs(gradient[i]) > 1e-4) {
                        double expected = old[i] * (1 - own * decay) - own * Math.signum(gradient[i]);
                        assertEquals(expected, now[i], 1e-3 * own, name + " " + i);
                    }
                }
            });
        }
    }

    private static long pretrainedTrunk() {
        SortedMap<String, Tensor> trunk = new TreeMap<>(pretrained.weights());
        trunk.keySet().removeIf(name -> name.startsWith("head."));
        return Models.values(trunk);
    }

    private static int depth(String name) {
        if (name.startsWith("preprocessor.")) {
            return 0;
        }
        return name.startsWith("trunk.blocks.") ? Character.digit(name.charAt(13), 10) + 1 : BLOCKS + 1;
    }

    @Test
    void theAverageFollowsItsFormula() {
        try (FineTuner tuner = tuner(Kind.LORA, 0.3)) {
            String name = "probe.linear.weight";
            float[] average = values(tuner.averaged().get(name));
            for (int t = 1; t <= 4; t++) {
                train(tuner, 1);
                double keep = Math.min(0.3, (1.0 + t) / (10.0 + t));
                float[] now = values(tuner.trained().get(name));
                for (int i = 0; i < average.length; i++) {
                    average[i] = (float) (keep * average[i] + (1 - keep) * now[i]);
                }
                assertArrayEquals(average, values(tuner.averaged().get(name)), 1e-6f, "step " + t);
            }
            assertFalse(Arrays.equals(average, values(tuner.trained().get(name))));
        }
    }

    @Test
    void scoresCountFirstAndFirstFiveLabels() {
        try (FineTuner tuner = tuner(Kind.FULL, 0)) {
            float[] logits = tuner.logits(images, IMAGES);
            int first = 0;
            int five = 0;
            double loss = 0;
            for (int b = 0; b < IMAGES; b++) {
                float own = logits[b * CLASSES + labels[b]];
                double total = 0;
                int better = 0;
                for (int c = 0; c < CLASSES; c++) {
                    total += Math.exp(logits[b * CLASSES + c]);
                    better += logits[b * CLASSES + c] > own ? 1 : 0;
                }
                first += better < 1 ? 1 : 0;
                five += better < 5 ? 1 : 0;
                loss += Math.log(total) - own;
            }
            Scores scores = tuner.evaluate(images, labels);
            assertEquals(IMAGES, scores.images());
            assertEquals(first, scores.first());
            assertEquals(five, scores.firstFive());
            assertEquals(loss, scores.lossSum(), 1e-4);
        }
    }

    @Test
    void anInfiniteLossChangesNothing() {
        try (FineTuner tuner = tuner(Kind.FULL, 0.9)) {
            train(tuner, 1);
            SortedMap<String, Tensor> before = tuner.trained();
            SortedMap<String, Tensor> head = tuner.head();
            ByteBuffer bad = Models.images(SMALL, IMAGES, 3);
            bad.putFloat(40, Float.NaN);
            FineTuner.Step step = tuner.step(bad, targets(), 1e-2);
            assertFalse(Double.isFinite(step.loss()));
            tuner.trained()
                    .forEach((name, tensor) -> assertArrayEquals(values(before.get(name)), values(tensor), name));
            tuner.head().forEach((name, tensor) -> assertArrayEquals(values(head.get(name)), values(tensor), name));
        }
    }

    @Test
    void weightsOfAnotherArchitectureAndLabelsOutsideTheClassesAreNamed() {
        try (FineTuner tuner = tuner(Kind.LORA, 0)) {
            SortedMap<String, Tensor> cut = new TreeMap<>(pretrained.weights());
            cut.remove("trunk.blocks.1.attn.proj.weight");
            String message = assertThrows(IllegalArgumentException.class, () -> tuner.load(cut))
                    .getMessage();
            assertTrue(message.contains("trunk.blocks.1.attn.proj.weight is missing"), message);
            int[] outside = labels.clone();
            outside[2] = CLASSES;
            message = assertThrows(IllegalArgumentException.class, () -> tuner.evaluate(images, outside))
                    .getMessage();
            assertTrue(message.contains("finetune.classes"), message);
        }
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void liveTensorsStayFlatOverSomeHundredSteps(Kind kind) {
        try (FineTuner tuner = tuner(kind, 0.9)) {
            train(tuner, 2);
            int early = tuner.liveTensors();
            train(tuner, 150);
            tuner.evaluate(images, labels);
            assertEquals(early, tuner.liveTensors());
        }
    }
}
