package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.Confusion;
import io.rasterflow.model.probe.Predictions;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.model.probe.ProbeReport;
import io.rasterflow.model.probe.ProbeReports;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProbeReportTest {

    /** Four images of the classes 0, 0, 1 and 5, five labels for each. */
    private static final Predictions KNOWN = new Predictions(
            new int[] {0, 0, 1, 5},
            new int[] {
                0, 1, 2, 3, 4, //
                1, 2, 0, 3, 4, //
                1, 0, 2, 3, 4, //
                2, 0, 1, 3, 4
            },
            0.5);

    @Test
    void topOneAndTopFiveCountTheTrueLabel() {
        assertEquals(0.5, KNOWN.top(1));
        assertEquals(0.5, KNOWN.top(2));
        assertEquals(0.75, KNOWN.top(3));
        assertEquals(0.75, KNOWN.top(5));
    }

    @Test
    void theConfusionMatrixAndTheTableOfClassesAreThoseOfThePredictions() {
        Confusion confusion = KNOWN.confusion(6);
        int[][] expected = new int[6][6];
        expected[0][0] = 1;
        expected[0][1] = 1;
        expected[1][1] = 1;
        expected[5][2] = 1;
        assertArrayEquals(expected, confusion.rows());
        List<Confusion.ClassRow> table = confusion.table();
        assertEquals(new Confusion.ClassRow(0, 1.0, 0.5, 2, 1), table.get(0));
        assertEquals(new Confusion.ClassRow(1, 0.5, 1.0, 1, 2), table.get(1));
        assertEquals(new Confusion.ClassRow(2, 0.0, Double.NaN, 0, 1), table.get(2));
        assertEquals(new Confusion.ClassRow(3, Double.NaN, Double.NaN, 0, 0), table.get(3));
        assertEquals(new Confusion.ClassRow(5, Double.NaN, 0.0, 1, 0), table.get(5));
        assertEquals(1, confusion.mistakenFor(0));
        assertEquals(-1, confusion.mistakenFor(1));
        assertEquals(2, confusion.mistakenFor(5));
        assertEquals(confusion, KNOWN.confusion(6));
        assertNotEquals(confusion, new Confusion(6, new int[36]));
        assertThrows(IllegalArgumentException.class, () -> new Confusion(2, new int[3]));
        assertThrows(IllegalArgumentException.class, () -> new Predictions(new int[2], new int[3], 0));
    }

    private static ProbeReport layer(int block, double heldOut, double validation) {
        return new ProbeReport(
                ProbeKind.LINEAR,
                Blocks.range(block, block),
                1e-3,
                List.of(new ProbeReport.Candidate(1e-3, heldOut, 1), new ProbeReport.Candidate(1e-4, heldOut / 2, 1)),
                validation,
                1,
                1,
                1,
                new Confusion(2, new int[4]),
                10,
                10,
                List.of());
    }

    @Test
    void theLayerIsChosenByHeldOutImagesNotByTheBestFigure() {
        ProbeReports reports = new ProbeReports(List.of(layer(0, 0.5, 0.9), layer(1, 0.7, 0.6), layer(2, 0.7, 0.8)));
        assertEquals(Blocks.range(1, 1), reports.chosen().blocks());
        assertEquals(0.7, reports.chosen().heldOutAccuracy());
        assertTrue(assertThrows(IllegalArgumentException.class, () -> new ProbeReports(List.of()))
                .getMessage()
                .contains("at least one"));
    }

    @Test
    void featuresThatExceedTheCacheAreNamedWithWhatToTry() {
        ProbeConfig attentive = ProbeFeatures.config(ProbeKind.ATTENTIVE, 1e-3);
        assertEquals(1_000_000_000L, attentive.cacheBytes());
        assertEquals(1e9, attentive.cached(10_000, 90_000, 10_000));
        String refused = assertThrows(IllegalArgumentException.class, () -> attentive.cached(16_384, 60_000, 10_000))
                .getMessage();
        for (String part : List.of(
                "60000 training and 10000 validation images",
                "1147 MB",
                "probe.cacheBytes allows 1000 MB",
                "probe.trainImages",
                "probe.kind=linear")) {
            assertTrue(refused.contains(part), refused);
        }
        Messages.assertRefused("lower probe.trainImages", () -> ProbeFeatures.config(ProbeKind.KNN, 1e-3)
                .cached(1L << 40, 1L << 40, 1));
    }
}
