package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.Correlation.Point;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Reference values: SciPy 1.17.1, {@code pearsonr(x, y)}, its {@code confidence_interval()}, {@code spearmanr(x, y)}. */
class CorrelationTest {

    private static List<Point> points(double[] x, double[] y) {
        List<Point> points = new ArrayList<>();
        for (int i = 0; i < x.length; i++) {
            points.add(new Point(x[i], y[i]));
        }
        return points;
    }

    @Test
    void agreesWithSciPyOnLossAndAccuracy() {
        double[] loss = {0.9312, 0.4301, 0.4012, 0.3904, 0.3761, 0.3522, 0.3313, 0.3127};
        double[] accuracy = {0.789, 0.787, 0.806, 0.8021, 0.815, 0.8231, 0.8302, 0.834};
        Correlation c = Correlation.of(points(loss, accuracy));
        assertEquals(8, c.points());
        assertEquals(-0.6458947012795909, c.pearson(), 1e-12);
        assertEquals(-0.9523809523809524, c.spearman(), 1e-12);
        assertEquals(-0.9281329928857442, c.pearsonLow(), 1e-9);
        assertEquals(0.10787856285040767, c.pearsonHigh(), 1e-9);
        assertEquals("r = -0.646 (95 % -0.93 to 0.11), rho = -0.952, n = 8", c.describe());
    }

    @Test
    void tiesGetTheirMeanRank() {
        double[] x = {1, 2, 2, 3, 5, 5, 5, 8, 9, 10};
        double[] y = {3.5, 1, 4, 4, 2, 7, 7, 6, 9, 8.25};
        Correlation c = Correlation.of(points(x, y));
        assertEquals(0.7731320833078602, c.pearson(), 1e-12);
        assertEquals(0.7709310859368713, c.spearman(), 1e-12);
        assertEquals(0.2796207930758239, c.pearsonLow(), 1e-9);
        assertEquals(0.9434848013893348, c.pearsonHigh(), 1e-9);
    }

    @Test
    void threePointsGiveAValueButNoInterval() {
        Correlation c = Correlation.of(points(new double[] {0.3, 0.31, 0.32}, new double[] {0.83, 0.82, 0.79}));
        assertEquals(-0.9607689228305227, c.pearson(), 1e-12);
        assertEquals(-1.0, c.spearman(), 1e-12);
        assertTrue(Double.isNaN(c.pearsonLow()) && Double.isNaN(c.pearsonHigh()));
        assertTrue(c.known());
    }

    @Test
    void hugeAndTinyValuesStayInRange() {
        Correlation c = Correlation.of(
                points(new double[] {1e200, 2e200, 4e200, 3e200}, new double[] {1e-200, 3e-200, 2e-200, 5e-200}));
        assertEquals(0.3779644730092272, c.pearson(), 1e-12);
        assertEquals(0.4, c.spearman(), 1e-12);
    }

    @Test
    void saysWhenThereAreTooFewPoints() {
        Correlation c = Correlation.of(points(new double[] {1, 2}, new double[] {1, 2}));
        assertTrue(Double.isNaN(c.pearson()) && Double.isNaN(c.spearman()));
        assertFalse(c.known());
        assertEquals("needs 3 points, has 2", c.describe());
        assertEquals("needs 3 points, has 0", Correlation.NONE.describe());
    }

    @Test
    void pairsWithoutANumberAreLeftOut() {
        double nan = Double.NaN;
        double[] x = {0.3, nan, 0.31, 0.5, 0.32, Double.POSITIVE_INFINITY};
        double[] y = {0.83, 0.1, 0.82, nan, 0.79, 0.2};
        Correlation c = Correlation.of(points(x, y));
        assertEquals(3, c.points());
        assertEquals(-0.9607689228305227, c.pearson(), 1e-12);
    }

    @Test
    void valuesThatDoNotVaryHaveNoCorrelation() {
        Correlation c = Correlation.of(points(new double[] {0.1, 0.1, 0.1, 0.1}, new double[] {1, 2, 3, 4}));
        assertTrue(Double.isNaN(c.pearson()));
        assertEquals("undefined over 4 points: one of the values does not vary", c.describe());
    }

    @Test
    void aPerfectLineIsExactlyOne() {
        Correlation c = Correlation.of(points(new double[] {1, 2, 3, 4}, new double[] {-3, -5, -7, -9}));
        assertEquals(-1, c.pearson());
        assertEquals(-1, c.pearsonLow());
        assertEquals(-1, c.pearsonHigh());
    }
}
