package io.rasterflow.monitoring.science;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import org.hipparchus.distribution.continuous.NormalDistribution;

/**
 * 95 % intervals of a statistic by Efron's bias-corrected and accelerated bootstrap (BCa): the points are drawn again with
 * replacement, and the percentiles that are taken allow for bias and skewness, which a correlation near ±1 has much of.
 * Drawn from a fixed seed, so the same points have the same interval. Draws in which the statistic is undefined are left out.
 *
 * @param resamples how often is drawn
 * @param seed of the draws
 */
record Bootstrap(int resamples, long seed) {

    /** Of everything that is shown. */
    static final Bootstrap DEFAULT = new Bootstrap(2_000, 20240116);

    /** With less of the draws usable, there is no interval. */
    private static final double USABLE = 0.5;

    private static final NormalDistribution NORMAL = new NormalDistribution();

    /**
     * @param points n
     * @param statistic of a sample that holds point i {@code counts[i]} times; NaN where it is undefined
     * @return none where too few draws are usable
     */
    Interval interval(int points, ToDoubleFunction<int[]> statistic) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] counts = new int[points];
        double[] drawn = new double[resamples];
        int usable = 0;
        for (int resample = 0; resample < resamples; resample++) {
            Arrays.fill(counts, 0);
            for (int i = 0; i < points; i++) {
                counts[random.nextInt(points)]++;
            }
            double value = statistic.applyAsDouble(counts);
            if (!Double.isNaN(value)) {
                drawn[usable++] = value;
            }
        }
        if (usable < USABLE * resamples) {
            return Interval.NONE;
        }
        double[] sorted = Arrays.copyOf(drawn, usable);
        Arrays.sort(sorted);
        Arrays.fill(counts, 1);
        double bias = bias(sorted, statistic.applyAsDouble(counts));
        double acceleration = acceleration(points, statistic);
        return Interval.ofSorted(
                sorted, fraction(bias, acceleration, Interval.TAIL), fraction(bias, acceleration, 1 - Interval.TAIL));
    }

    /** z0: how far the estimate lies from the median of the draws, in normal deviations. */
    private static double bias(double[] sorted, double estimate) {
        double below = 0;
        for (double value : sorted) {
            below += value < estimate ? 1 : value == estimate ? 0.5 : 0;
        }
        // Draws that all lie on one side would be infinitely far.
        double fraction = Math.max(0.5, Math.min(sorted.length - 0.5, below)) / sorted.length;
        return NORMAL.inverseCumulativeProbability(fraction);
    }

    /** a: skewness of the statistic with one point left out in turn. */
    private static double acceleration(int points, ToDoubleFunction<int[]> statistic) {
        double[] without = leaveOneOut(points, statistic);
        double mean = Arrays.stream(without).average().orElse(Double.NaN);
        double squares = 0;
        double cubes = 0;
        for (double value : without) {
            squares += Math.pow(mean - value, 2);
            cubes += Math.pow(mean - value, 3);
        }
        return squares > 0 ? cubes / (6 * Math.pow(squares, 1.5)) : 0;
    }

    /** The statistic without point i, for each i. */
    static double[] leaveOneOut(int points, ToDoubleFunction<int[]> statistic) {
        int[] counts = new int[points];
        Arrays.fill(counts, 1);
        double[] without = new double[points];
        for (int i = 0; i < points; i++) {
            counts[i] = 0;
            without[i] = statistic.applyAsDouble(counts);
            counts[i] = 1;
        }
        return without;
    }

    private static double fraction(double bias, double acceleration, double tail) {
        double shifted = bias + NORMAL.inverseCumulativeProbability(tail);
        return NORMAL.cumulativeProbability(bias + shifted / (1 - acceleration * shifted));
    }
}
