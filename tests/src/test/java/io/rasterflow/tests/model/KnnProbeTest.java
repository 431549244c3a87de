package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.ProbeFeatures.CLASSES;
import static io.rasterflow.tests.model.ProbeFeatures.DIM;
import static io.rasterflow.tests.model.ProbeFeatures.clouds;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.probe.KnnConfig;
import io.rasterflow.model.probe.KnnProbe;
import io.rasterflow.model.probe.NativeFeatureSet;
import io.rasterflow.model.probe.Predictions;
import io.rasterflow.model.probe.Probe;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.model.probe.ProbeReport;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KnnProbeTest {

    @ParameterizedTest
    @CsvSource({"1, 0.07", "7, 0.07", "20, 0.5", "1000, 0.07"})
    void theVoteIsThatOfAPlainComputation(int neighbours, double temperature) {
        try (NativeFeatureSet known = clouds(150, true, 2, false, 1);
                NativeFeatureSet asked = clouds(300, true, 2, false, 2);
                KnnProbe probe = new KnnProbe(new KnnConfig(neighbours, temperature), CLASSES)) {
            long[] voters = LongStream.range(0, 120).map(i -> i + 30).toArray();
            long[] images = LongStream.range(0, 300).map(i -> 299 - i).toArray();
            Predictions said = probe.predict(known, voters, asked, images);
            float[] knownFeatures = known.features().toFloatArray();
            float[] askedFeatures = asked.features().toFloatArray();
            int[] labels = labels(known);
            for (int i = 0; i < images.length; i++) {
                double[] votes =
                        votes(askedFeatures, (int) images[i], knownFeatures, voters, labels, neighbours, temperature);
                int[] expected = IntStream.range(0, CLASSES)
                        .boxed()
                        .sorted(Comparator.comparingDouble(c -> -votes[c]))
                        .mapToInt(c -> c)
                        .toArray();
                int certain =
                        (int) Arrays.stream(votes).filter(vote -> vote > 0).count();
                int compared = Math.min(certain, 5);
                assertArrayEquals(
                        Arrays.copyOf(expected, compared),
                        Arrays.copyOfRange(said.best(), i * 5, i * 5 + compared),
                        Arrays.toString(votes));
            }
            assertTrue(said.top(1) > 1.0 / CLASSES && said.top(1) < 1, "a set that tells nothing: " + said.top(1));
        }
    }

    private static double[] votes(
            float[] asked, int image, float[] known, long[] voters, int[] labels, int neighbours, double temperature) {
        double[] cosines = new double[voters.length];
        for (int v = 0; v < voters.length; v++) {
            double product = 0;
            double a = 0;
            double b = 0;
            for (int d = 0; d < DIM; d++) {
                double x = asked[image * DIM + d];
                double y = known[(int) voters[v] * DIM + d];
                product += x * y;
                a += x * x;
                b += y * y;
            }
            cosines[v] = product / Math.sqrt(a * b);
        }
        double[] votes = new double[CLASSES];
        IntStream.range(0, voters.length)
                .boxed()
                .sorted(Comparator.comparingDouble(v -> -cosines[v]))
                .limit(neighbours)
                .forEach(v -> votes[labels[(int) voters[v]]] += Math.exp(cosines[v] / temperature));
        return votes;
    }

    /** Each image is its own nearest neighbour, so that one neighbour returns the labels. */
    private static int[] labels(NativeFeatureSet set) {
        try (KnnProbe probe = new KnnProbe(new KnnConfig(1, 0.07), CLASSES)) {
            long[] all = LongStream.range(0, set.size()).toArray();
            Predictions said = probe.predict(set, all, set, all);
            assertEquals(1.0, said.top(1));
            return said.labels();
        }
    }

    @Test
    void theReportHasNoLossAndNoRate() {
        try (NativeFeatureSet known = clouds(200, true, 0.3, false, 1);
                NativeFeatureSet asked = clouds(100, true, 0.3, false, 2);
                Probe probe = new Probe(ProbeFeatures.config(ProbeKind.KNN, 1e-3, 1e-2), DIM, 1)) {
            ProbeReport report = probe.report(known, asked, 1);
            assertTrue(report.accuracy() > 0.98, report.toString());
            assertTrue(Double.isNaN(report.loss()) && Double.isNaN(report.learningRate()), report.toString());
            assertTrue(report.candidates().isEmpty(), "without rates and layers there is nothing to choose");
            assertEquals(report, probe.report(known, asked, 2), "there is nothing random in it");
        }
    }
}
