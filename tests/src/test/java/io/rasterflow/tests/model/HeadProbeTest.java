package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.ProbeFeatures.CLASSES;
import static io.rasterflow.tests.model.ProbeFeatures.DIM;
import static io.rasterflow.tests.model.ProbeFeatures.PATCHES;
import static io.rasterflow.tests.model.ProbeFeatures.clouds;
import static io.rasterflow.tests.model.ProbeFeatures.config;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.probe.AttentionMap;
import io.rasterflow.model.probe.AttentiveHead;
import io.rasterflow.model.probe.HeadConfig;
import io.rasterflow.model.probe.HeadProbe;
import io.rasterflow.model.probe.LinearHead;
import io.rasterflow.model.probe.NativeFeatureSet;
import io.rasterflow.model.probe.Predictions;
import io.rasterflow.model.probe.Probe;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.model.probe.ProbeReport;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class HeadProbeTest {
    private static final int HEADS = 2;
    private static final Double[] RATES = {1e-4, 1e-3, 1e-2};

    private static ProbeReport report(
            ProbeConfig config, NativeFeatureSet train, NativeFeatureSet validation, long seed) {
        try (Probe probe = new Probe(config, DIM, HEADS)) {
            return probe.report(train, validation, seed);
        }
    }

    /** As the paper writes it, number by number: normalise, form the keys, and compare the query with each. */
    @Test
    void attentionIsThatOfTheQueryAndTheKeysOfTheSameWeights() {
        long[] mapped = {3, 0, 41};
        try (NativeFeatureSet set = clouds(42, false, 1.5, false, 1);
                HeadProbe probe = new HeadProbe(new AttentiveHead(DIM, HEADS, CLASSES), new HeadConfig(30, 8, 0.1));
                HeadProbe.Heads heads = probe.train(set, LongStream.range(0, 42).toArray(), List.of(1e-2, 1e-3), 3)) {
            List<AttentionMap> maps = probe.attention(heads, set, mapped);
            assertEquals(mapped.length, maps.size());
            float[] x = set.features().toFloatArray();
            float[] weights = heads.weights().toFloatArray();
            float[] running = heads.running().toFloatArray();
            double uneven = 0;
            for (int i = 0; i < mapped.length; i++) {
                AttentionMap map = maps.get(i);
                assertEquals(PATCHES, map.patches());
                assertEquals(
                        1, IntStream.range(0, PATCHES).mapToDouble(map::mean).sum(), 1e-5);
                for (int head = 0; head < HEADS; head++) {
                    double[] expected = attended(x, (int) mapped[i], head, weights, running);
                    double sum = 0;
                    for (int patch = 0; patch < PATCHES; patch++) {
                        assertTrue(map.weight(head, patch) >= 0);
                        assertEquals(expected[patch], map.weight(head, patch), 1e-5);
                        sum += map.weight(head, patch);
                        uneven = Math.max(uneven, Math.abs(expected[patch] - 1.0 / PATCHES));
                    }
                    assertEquals(1, sum, 1e-5);
                }
            }
            assertTrue(uneven > 0.02, "the query looks everywhere alike, which shows nothing: " + uneven);
        }
        try (NativeFeatureSet pooled = clouds(40, true, 1.5, false, 1);
                HeadProbe linear = new HeadProbe(new LinearHead(DIM, CLASSES), new HeadConfig(1, 8, 0));
                HeadProbe.Heads heads =
                        linear.train(pooled, LongStream.range(0, 40).toArray(), List.of(1e-3), 1)) {
            assertThrows(IllegalStateException.class, () -> linear.attention(heads, pooled, new long[] {0}));
        }
    }

    /** What a head of the first candidate takes of each patch. */
    private static double[] attended(float[] x, int image, int head, float[] weights, float[] running) {
        int width = DIM / HEADS;
        double[] taken = new double[PATCHES];
        double sum = 0;
        for (int patch = 0; patch < PATCHES; patch++) {
            double score = 0;
            for (int row = head * width; row < (head + 1) * width; row++) {
                double key = 0;
                for (int d = 0; d < DIM; d++) {
                    double normal =
                            (x[(image * PATCHES + patch) * DIM + d] - running[d]) / Math.sqrt(running[DIM + d] + 1e-6);
                    key += weights[DIM + row * DIM + d] * normal;
                }
                score += weights[row] * key;
            }
            taken[patch] = Math.exp(score / Math.sqrt(width));
            sum += taken[patch];
        }
        for (int patch = 0; patch < PATCHES; patch++) {
            taken[patch] /= sum;
        }
        return taken;
    }

    @Test
    void onlyAnAttentiveProbeTellsWhereItLooksAndOnlyInTheImagesAskedFor() {
        try (NativeFeatureSet set = clouds(60, false, 1.5, false, 1);
                NativeFeatureSet two = clouds(2, false, 1.5, false, 2);
                Probe probe = new Probe(config(ProbeKind.ATTENTIVE, 1e-3), DIM, HEADS)) {
            assertEquals(
                    2, probe.report(set, set, 1, Optional.of(two)).attention().size());
            assertEquals(List.of(), probe.report(set, set, 1).attention());
        }
        try (NativeFeatureSet set = clouds(60, true, 1.5, false, 1);
                Probe probe = new Probe(config(ProbeKind.LINEAR, 1e-3), DIM, HEADS)) {
            assertEquals(List.of(), probe.report(set, set, 1, Optional.of(set)).attention());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProbeKind.class,
            names = {"ATTENTIVE", "LINEAR"})
    void eachRateOfAGridDoesWhatItDoesAlone(ProbeKind kind) {
        try (NativeFeatureSet set = clouds(500, kind.pooled(), 1.5, false, 1);
                HeadProbe probe = kind == ProbeKind.LINEAR
                        ? new HeadProbe(new LinearHead(DIM, CLASSES), new HeadConfig(3, 32, 0.05))
                        : new HeadProbe(new AttentiveHead(DIM, HEADS, CLASSES), new HeadConfig(3, 32, 0.1))) {
            long[] fit = LongStream.range(0, 400).toArray();
            long[] held = LongStream.range(400, 500).toArray();
            try (HeadProbe.Heads together = probe.train(set, fit, List.of(RATES), 3)) {
                List<Predictions> said = probe.predict(together, set, held);
                int floats = (int) together.weights().getShape().get(1);
                float[] all = together.weights().toFloatArray();
                for (int r = 0; r < RATES.length; r++) {
                    try (HeadProbe.Heads alone = probe.train(set, fit, List.of(RATES[r]), 3)) {
                        float[] expected = alone.weights().toFloatArray();
                        for (int i = 0; i < floats; i++) {
                            assertEquals(expected[i], all[r * floats + i], 1e-4, kind + " rate " + RATES[r]);
                        }
                        Predictions one = probe.predict(alone, set, held).get(0);
                        assertEquals(one.loss(), said.get(r).loss(), 1e-4);
                        assertEquals(one.top(1), said.get(r).top(1), 0.01);
                        assertEquals(alone.losses()[0], together.losses()[r], 1e-4);
                    }
                }
                assertNotEquals(said.get(0).loss(), said.get(1).loss(), 1e-3, "the rates make no difference");
            }
        }
    }

    @Test
    void theLinearProbeSeparatesWhatIsSeparableAndNothingElse() {
        ProbeConfig config = config(ProbeKind.LINEAR, 1e-2);
        try (NativeFeatureSet train = clouds(600, true, 0.3, false, 1);
                NativeFeatureSet validation = clouds(300, true, 0.3, false, 2);
                NativeFeatureSet shuffled = clouds(600, true, 0.3, true, 3);
                NativeFeatureSet shuffledToo = clouds(600, true, 0.3, true, 4)) {
            ProbeReport report = report(config, train, validation, 5);
            assertTrue(report.accuracy() > 0.98, report.toString());
            assertEquals(1.0, report.top5(), 0.01);
            assertTrue(report.loss() < 0.3, report.toString());
            assertEquals(report, report(config, train, validation, 5));
            assertEquals(1.0 / CLASSES, report(config, shuffled, shuffledToo, 5).accuracy(), 0.07);
        }
    }

    /** By finite differences, with the batch statistics taken anew for each. */
    @Test
    void theGradientOfTheLinearHeadIsThatOfItsLoss() {
        Random random = new Random(3);
        float[] features = new float[8 * DIM];
        for (int i = 0; i < features.length; i++) {
            features[i] = (float) random.nextGaussian();
        }
        int[] labels = {0, 1, 2, 3, 4, 5, 0, 1};
        float[] weights = new float[CLASSES * DIM + CLASSES];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) (0.3 * random.nextGaussian());
        }
        try (HeadProbe probe = new HeadProbe(new LinearHead(DIM, CLASSES), new HeadConfig(1, 8, 0))) {
            HeadProbe.Gradients exact = probe.gradients(features, labels, weights);
            for (int i : new int[] {0, 7, 50, CLASSES * DIM - 1, CLASSES * DIM, weights.length - 1}) {
                float[] more = weights.clone();
                float[] less = weights.clone();
                more[i] += 0.01f;
                less[i] -= 0.01f;
                double slope = (probe.gradients(features, labels, more).loss()
                                - probe.gradients(features, labels, less).loss())
                        / 0.02;
                assertEquals(slope, exact.gradient()[i], 1e-3, "parameter " + i);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProbeKind.class)
    void theChoiceIsMadeWithoutTheValidationLabels(ProbeKind kind) {
        ProbeConfig config = config(kind, "each", RATES);
        try (NativeFeatureSet train = clouds(400, kind.pooled(), 1.5, false, 1);
                NativeFeatureSet validation = clouds(200, kind.pooled(), 1.5, false, 2);
                NativeFeatureSet permuted = clouds(200, kind.pooled(), 1.5, true, 2)) {
            assertArrayEquals(new int[] {200, 200}, new int[] {validation.size(), permuted.size()});
            ProbeReport honest = report(config, train, validation, 9);
            ProbeReport misled = report(config, train, permuted, 9);
            assertNotEquals(honest.accuracy(), misled.accuracy());
            assertEquals(honest.candidates(), misled.candidates());
            assertEquals(honest.learningRate(), misled.learningRate());
            assertEquals(honest.heldOutAccuracy(), misled.heldOutAccuracy());
            assertEquals(
                    kind == ProbeKind.KNN ? 1 : RATES.length,
                    honest.candidates().size());
        }
    }

    /** The rate that was chosen is then trained on all training images, as if it alone had been given. */
    @Test
    void theBestRateIsTakenAndTrainedOnAllImages() {
        try (NativeFeatureSet train = clouds(400, true, 1.0, false, 1);
                NativeFeatureSet validation = clouds(200, true, 1.0, false, 2)) {
            ProbeReport grid = report(config(ProbeKind.LINEAR, 1e-6, 1e-2), train, validation, 9);
            assertEquals(1e-2, grid.learningRate());
            ProbeReport alone = report(config(ProbeKind.LINEAR, 1e-2), train, validation, 9);
            assertTrue(alone.candidates().isEmpty(), "one rate leaves nothing to choose");
            assertTrue(Double.isNaN(alone.heldOutAccuracy()));
            assertEquals(alone.accuracy(), grid.accuracy());
            assertEquals(alone.confusion(), grid.confusion());
            assertEquals(400, grid.trainImages());
            int held = 100;
            double hits = grid.heldOutAccuracy() * held;
            assertEquals(Math.rint(hits), hits, 1e-9, "not a count of " + held + " held-out images");
        }
    }

    @Test
    void labelsAndShapesThatDoNotFitAreNamed() {
        ProbeConfig config = config(ProbeKind.LINEAR, 1e-3);
        try (NativeFeatureSet patches = clouds(50, false, 1, false, 1);
                NativeFeatureSet one = clouds(1, true, 1, false, 1);
                NativeFeatureSet unlabelled = new NativeFeatureSet(2, one.blocks(), new Shape(DIM))) {
            Messages.assertRefused("probe.kind=linear", () -> report(config, patches, patches, 1));
            unlabelled.append(new float[2 * DIM], new int[] {0, -1});
            Messages.assertRefused("has no label", () -> report(config, one, unlabelled, 1));
            Messages.assertRefused(
                    "at least two training images", () -> report(config(ProbeKind.LINEAR, RATES), one, one, 1));
            Messages.assertRefused(
                    "need 16 values",
                    () -> one.append(new float[3], IntStream.of(1).toArray()));
        }
    }
}
