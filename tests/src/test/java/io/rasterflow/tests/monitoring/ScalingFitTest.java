package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.science.Interval;
import io.rasterflow.monitoring.science.Prediction;
import io.rasterflow.monitoring.science.ScalingFit;
import io.rasterflow.monitoring.science.ScalingLaw;
import io.rasterflow.monitoring.science.ScalingLaw.Term;
import io.rasterflow.tests.Paired;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Laws that are known, and SciPy 1.17.1's {@code curve_fit(f, x, L, sigma=L)} and {@code least_squares} on the same figures. */
@Paired
class ScalingFitTest {

    private static final double[] SIZES = {3e4, 7e4, 1.5e5, 4e5, 9e5, 2e6, 5e6};

    private static double[][] column(double... sizes) {
        return Arrays.stream(sizes).mapToObj(size -> new double[] {size}).toArray(double[][]::new);
    }

    private static ScalingLaw law(double floor, double scale, double exponent) {
        return new ScalingLaw(floor, List.of(new Term(Math.log(scale), exponent)));
    }

    private static double[] losses(ScalingLaw law, double[][] sizes, double noise, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return Arrays.stream(sizes)
                .mapToDouble(size -> law.at(size) * (1 + noise * random.nextGaussian()))
                .toArray();
    }

    @Test
    void agreesWithSciPyInOneQuantity() {
        double[] losses = {1.12958, 0.86447, 0.70315, 0.56068, 0.48251, 0.42608, 0.38251};
        ScalingFit fit = ScalingFit.of(column(SIZES), losses);
        assertEquals(0.29701142766816074, fit.law().floor(), 1e-7);
        assertEquals(19699.012357523967, fit.law().terms().get(0).scale(), 1e-2);
        assertEquals(0.44300817117637503, fit.law().terms().get(0).exponent(), 1e-7);
        assertEquals(0.36031333341534943, fit.predict(1e7).value(), 1e-7);
        assertEquals(0.002699745879545598, fit.deviation(), 1e-8);
        assertEquals(0.9999686456855832, fit.explained(), 1e-9);
        assertEquals(4, fit.freedom());
        // Student's intervals of the linearised problem, from curve_fit's covariance; so near a line they are almost
        // right.
        assertNear(0.2896597, 0.3043631, fit.floor(), 0.002);
        assertNear(0.4310541, 0.4549623, fit.exponent(0), 0.002);
        assertNear(Math.exp(9.867367), Math.exp(9.909280), fit.scale(0), 150);
    }

    private static void assertNear(double low, double high, Interval interval, double tolerance) {
        assertEquals(low, interval.low(), tolerance);
        assertEquals(high, interval.high(), tolerance);
    }

    @Test
    void agreesWithSciPyInTwoQuantities() {
        double[][] sizes = new double[12][];
        double[] parameters = {3e4, 1e5, 3e5, 1e6};
        double[] samples = {1e4, 4e4, 1.2e5};
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = new double[] {parameters[i / 3], samples[i % 3]};
        }
        double[] losses = {
            0.95101, 0.79044, 0.73839, 0.76925, 0.60179, 0.54857, 0.67735, 0.50983, 0.45327, 0.61557, 0.44956, 0.3965
        };
        ScalingFit fit = ScalingFit.of(sizes, losses);
        assertEquals(0.28088575138510263, fit.law().floor(), 1e-5);
        assertEquals(5128.8795895465455, fit.law().terms().get(0).scale(), 1);
        assertEquals(0.5067677318136198, fit.law().terms().get(0).exponent(), 1e-5);
        assertEquals(1528.525183680346, fit.law().terms().get(1).scale(), 1);
        assertEquals(0.7045724368832172, fit.law().terms().get(1).exponent(), 1e-5);
        // What they were made with, and 0.3 % noise.
        assertTrue(fit.floor().contains(0.28), fit.floor()::toString);
        assertTrue(fit.exponent(0).contains(0.5), fit.exponent(0)::toString);
        assertTrue(fit.exponent(1).contains(0.7), fit.exponent(1)::toString);
        assertTrue(fit.scale(0).contains(5e3), fit.scale(0)::toString);
        assertTrue(fit.predict(2e6, 2.4e5).interval().contains(0.28 + 0.05 + Math.pow(1.5e3 / 2.4e5, 0.7)));
    }

    @ParameterizedTest
    @CsvSource({"0.3, 2e4, 0.45", "0, 5e3, 0.08", "0, 2e4, 0.45", "2.5, 1e2, 0.2", "0.01, 3e5, 1.5"})
    void withoutNoiseTheLawIsFound(double floor, double scale, double exponent) {
        double[][] sizes = column(SIZES);
        ScalingFit fit = ScalingFit.of(sizes, losses(law(floor, scale, exponent), sizes, 0, 0));
        assertEquals(floor, fit.law().floor(), 1e-4);
        assertEquals(exponent, fit.law().terms().get(0).exponent(), 1e-4);
        assertEquals(1, fit.law().terms().get(0).scale() / scale, 1e-3);
        assertEquals(1, fit.predict(2e7).value() / law(floor, scale, exponent).at(2e7), 1e-5);
        assertTrue(fit.determined());
    }

    @ParameterizedTest
    @CsvSource({"0.3, 2e4, 0.45, 0.01", "0, 2e4, 0.3, 0.01", "0.3, 2e4, 0.45, 0.05"})
    void withNoiseTheIntervalsHoldTheLawAsOftenAsTheySay(double floor, double scale, double exponent, double noise) {
        double[][] sizes = column(SIZES);
        ScalingLaw law = law(floor, scale, exponent);
        int[] held = new int[4];
        int series = 24;
        for (int seed = 0; seed < series; seed++) {
            ScalingFit fit = ScalingFit.of(sizes, losses(law, sizes, noise, seed));
            held[0] += fit.floor().contains(floor) ? 1 : 0;
            held[1] += fit.exponent(0).contains(exponent) ? 1 : 0;
            held[2] += fit.scale(0).contains(scale) ? 1 : 0;
            double further = law.at(1e7) * (1 + noise * new SplittableRandom(1_000 + seed).nextGaussian());
            held[3] += fit.predict(1e7).interval().contains(further) ? 1 : 0;
        }
        // Of 24, 95 % are 23; fewer than 19 would be seen in one of five hundred such tests.
        assertTrue(Arrays.stream(held).allMatch(count -> count >= 19), Arrays.toString(held));
    }

    @Test
    void lessNoiseAndMoreRunsMakeNarrowerIntervals() {
        ScalingLaw law = law(0.3, 2e4, 0.45);
        double[][] few = column(SIZES);
        List<Double> many = new ArrayList<>();
        for (int i = 0; i < 35; i++) {
            many.add(SIZES[i % SIZES.length]);
        }
        double[][] more = column(many.stream().mapToDouble(size -> size).toArray());
        double wide = width(ScalingFit.of(few, losses(law, few, 0.02, 1)).predict(1e7));
        assertTrue(width(ScalingFit.of(few, losses(law, few, 0.002, 1)).predict(1e7)) < wide / 2);
        assertTrue(width(ScalingFit.of(more, losses(law, more, 0.02, 1)).predict(1e7)) < wide);
    }

    private static double width(Prediction prediction) {
        return prediction.interval().high() - prediction.interval().low();
    }

    @Test
    void theSameRunsHaveTheSameIntervals() {
        double[][] sizes = column(SIZES);
        double[] losses = losses(law(0.3, 2e4, 0.45), sizes, 0.01, 3);
        assertEquals(
                ScalingFit.of(sizes, losses).predict(1e7),
                ScalingFit.of(sizes, losses).predict(1e7));
    }

    @Test
    void threeRunsAreALawWithoutIntervals() {
        double[][] sizes = column(1e4, 1e5, 1e6);
        ScalingFit fit = ScalingFit.of(sizes, losses(law(0.3, 2e3, 0.45), sizes, 0, 0));
        assertEquals(0.45, fit.law().terms().get(0).exponent(), 1e-4);
        assertEquals(0, fit.freedom());
        assertFalse(fit.floor().known());
        assertFalse(fit.predict(1e7).interval().known());
        assertTrue(Double.isNaN(fit.deviation()));
    }

    @Test
    void aLossThatRisesIsNoLaw() {
        ScalingFit fit = ScalingFit.of(column(1e4, 1e5, 1e6, 1e7), new double[] {0.3, 0.31, 0.32, 0.33});
        assertEquals(0, fit.law().terms().get(0).exponent());
        assertFalse(fit.determined());
        assertTrue(Double.isFinite(fit.predict(1e8).value()));
    }

    @Test
    void oneOutlierIsSeenInTheIntervals() {
        double[][] sizes = column(SIZES);
        double[] losses = losses(law(0.3, 2e4, 0.45), sizes, 0.002, 2);
        double clean = width(ScalingFit.of(sizes, losses).predict(1e7));
        losses[3] *= 1.3;
        ScalingFit fit = ScalingFit.of(sizes, losses);
        assertTrue(fit.deviation() > 0.05, "deviation " + fit.deviation());
        assertTrue(width(fit.predict(1e7)) > 5 * clean);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "10 20         | 0.5 0.4         | needs 3 runs, has 2",
                "10 20 20 10   | 0.5 0.4 0.4 0.5 | needs 3 different sizes, has 2",
                "10 20 -30     | 0.5 0.4 0.3     | above 0",
                "10 20 NaN     | 0.5 0.4 0.3     | above 0",
                "10 20 30      | 0.5 0 0.3       | above 0",
                "10 20 30      | 0.5 NaN 0.3     | above 0"
            })
    void whatIsNoSeriesIsOneLine(String sizes, String losses, String expected) {
        String message = assertThrows(
                        IllegalArgumentException.class, () -> ScalingFit.of(column(numbers(sizes)), numbers(losses)))
                .getMessage();
        assertTrue(message.contains(expected), message);
        assertEquals(1, message.lines().count());
    }

    private static double[] numbers(String text) {
        return Arrays.stream(text.strip().split(" +"))
                .mapToDouble(Double::parseDouble)
                .toArray();
    }
}
