package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.Correlation.Point;
import io.rasterflow.monitoring.science.Interval;
import io.rasterflow.monitoring.science.LinearFit;
import io.rasterflow.monitoring.science.Prediction;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Reference values: SciPy 1.17.1, {@code pearsonr(x, y)}, {@code spearmanr(x, y)}, {@code linregress(x, y)} and
 * {@code bootstrap((x, y), method='BCa', paired=True, n_resamples=200000)}.
 */
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
        assertTrue(c.describe().startsWith("r = -0.646 (95 % -"), c.describe());
        assertTrue(c.describe().contains("rho = -0.952 (95 % -1.00 to -0."), c.describe());
    }

    @Test
    void whatIsExpectedOfAnAccuracyStaysAShare() {
        Prediction beyond = new Prediction(1.02, new Interval(0.9, 1.2));
        assertEquals(new Prediction(1, new Interval(0.9, 1)), beyond.asShare());
        Prediction below = new Prediction(-0.1, new Interval(-0.3, 0.2));
        assertEquals(new Prediction(0, new Interval(0, 0.2)), below.asShare());
        assertFalse(Prediction.NONE.asShare().interval().known());
    }

    @Test
    void tiesGetTheirMeanRank() {
        double[] x = {1, 2, 2, 3, 5, 5, 5, 8, 9, 10};
        double[] y = {3.5, 1, 4, 4, 2, 7, 7, 6, 9, 8.25};
        Correlation c = Correlation.of(points(x, y));
        assertEquals(0.7731320833078602, c.pearson(), 1e-12);
        assertEquals(0.7709310859368713, c.spearman(), 1e-12);
        assertTrue(Double.isNaN(c.changes()), "pairs without an order have no changes");
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
        assertTrue(Double.isNaN(c.pearsonLow()), "too few points for an interval");
        Correlation five = Correlation.of(points(new double[] {1, 2, 3, 4, 5}, new double[] {-3, -5, -7, -9, -11}));
        assertEquals(-1, five.pearsonLow());
        assertEquals(-1, five.pearsonHigh());
    }

    private static final double[] LOSS = {
        0.9312, 0.4301, 0.4012, 0.3904, 0.3761, 0.3522, 0.3313, 0.3127, 0.3080, 0.3010, 0.2950, 0.2961
    };
    private static final double[] ACCURACY = {
        0.771, 0.787, 0.806, 0.8021, 0.815, 0.8231, 0.8302, 0.834, 0.8302, 0.842, 0.839, 0.841
    };

    @Test
    void intervalsAgreeWithSciPysBootstrap() {
        Correlation c = Correlation.of(points(LOSS, ACCURACY).subList(1, 12));
        assertEquals(-0.979569587514574, c.pearson(), 1e-12);
        assertEquals(-0.9384990180111028, c.spearman(), 1e-12);
        assertEquals(-0.99249, c.pearsonLow(), 0.002);
        assertEquals(-0.93327, c.pearsonHigh(), 0.02);
        assertEquals(-1, c.spearmanLow(), 1e-9);
        assertEquals(-0.745, c.spearmanHigh(), 0.05);
        double[] x = {1, 2, 2, 3, 5, 5, 5, 8, 9, 10};
        double[] y = {3.5, 1, 4, 4, 2, 7, 7, 6, 9, 8.25};
        Correlation ties = Correlation.of(points(x, y));
        assertEquals(0.316, ties.pearsonLow(), 0.05);
        assertEquals(0.919, ties.pearsonHigh(), 0.01);
        assertEquals(0.223, ties.spearmanLow(), 0.07);
        assertEquals(0.960, ties.spearmanHigh(), 0.02);
        assertEquals(ties, Correlation.of(points(x, y)), "the same points, the same interval");
    }

    @Test
    void thePointThatAllHangsOnIsNamed() {
        Correlation c = Correlation.of(points(LOSS, ACCURACY));
        assertEquals(-0.8255088523729596, c.pearson(), 1e-12);
        assertEquals(-0.9527159969401509, c.spearman(), 1e-12, "ranks hardly move");
        assertEquals(0, c.influence().point());
        assertEquals(-0.979569587514574, c.influence().without(), 1e-12);
        assertEquals(-0.979569587514574, c.influence().low(), 1e-12);
        assertEquals(-0.8210374503921142, c.influence().high(), 1e-12);
        assertTrue(c.describe().contains("without point 1 r = -0.980"), c.describe());
        assertTrue(
                c.pearsonHigh() - c.pearsonLow()
                        > 2
                                * (Correlation.of(points(LOSS, ACCURACY).subList(1, 12))
                                                .pearsonHigh()
                                        + 1),
                "an outlier widens the interval");
    }

    @Test
    void changesOfASeriesAreTakenApartFromItsTrend() {
        Correlation c = Correlation.ofSeries(points(LOSS, ACCURACY));
        assertEquals(-0.7090909090909092, c.changes(), 1e-12);
        double[] falling = new double[30];
        double[] rising = new double[30];
        for (int i = 0; i < falling.length; i++) {
            // Two drifts that know nothing of each other: their wobbles have other periods.
            falling[i] = 1 - 0.02 * i + 0.01 * Math.sin(2.1 * i);
            rising[i] = 0.5 + 0.01 * i + 0.005 * Math.cos(0.7 * i);
        }
        Correlation drift = Correlation.ofSeries(points(falling, rising));
        assertTrue(drift.pearson() < -0.98, drift.describe());
        assertTrue(Math.abs(drift.changes()) < 0.3, drift.describe());
        assertTrue(drift.describe().contains("rho of the changes"), drift.describe());
        assertTrue(Double.isNaN(
                Correlation.ofSeries(points(LOSS, ACCURACY).subList(0, 3)).changes()));
    }

    @Test
    void theLineAgreesWithSciPy() {
        LinearFit line = Correlation.of(points(LOSS, ACCURACY)).line();
        assertEquals(12, line.points());
        assertEquals(-0.10720055243008349, line.slope(), 1e-12);
        assertEquals(0.8605962308664895, line.intercept(), 1e-12);
        assertEquals(0.01347429547920155, line.deviation(), 1e-12);
        assertEquals(-0.1588417388386414, line.slopeInterval().low(), 1e-9);
        assertEquals(-0.05555936602152557, line.slopeInterval().high(), 1e-9);
        Prediction next = line.at(0.28);
        assertEquals(0.8305800761860661, next.value(), 1e-12);
        assertEquals(0.7987839938276656, next.interval().low(), 1e-9);
        assertEquals(0.8623761585444666, next.interval().high(), 1e-9);
        assertFalse(LinearFit.NONE.known());
        assertFalse(LinearFit.NONE.at(0.3).interval().known());
    }
}
