package io.rasterflow.monitoring.science;

import java.util.Arrays;
import org.hipparchus.distribution.continuous.TDistribution;

/**
 * A 95 % interval; both ends are NaN where there is none.
 *
 * @param low 2.5 % end
 * @param high 97.5 % end
 */
public record Interval(double low, double high) {

    /** Not known. */
    public static final Interval NONE = new Interval(Double.NaN, Double.NaN);

    /** Of a Student or bootstrap distribution at each end. */
    static final double TAIL = 0.025;

    /** Of the mean of independent values, by Student's t; none of fewer than 2. */
    public static Interval ofMean(double[] values) {
        int n = values.length;
        if (n < 2) {
            return NONE;
        }
        double mean = Arrays.stream(values).average().orElseThrow();
        double squares = Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .sum();
        double half =
                new TDistribution(n - 1).inverseCumulativeProbability(1 - TAIL) * Math.sqrt(squares / (n - 1) / n);
        return new Interval(mean - half, mean + half);
    }

    /** Whether there is one. */
    public boolean known() {
        return !Double.isNaN(low) && !Double.isNaN(high);
    }

    /** Whether a value lies in it; never, where there is none. */
    public boolean contains(double value) {
        return low <= value && value <= high;
    }

    /** Between the tails of a sorted sample, by linear interpolation; none of fewer than 2 values. */
    static Interval ofSorted(double[] sorted) {
        return ofSorted(sorted, TAIL, 1 - TAIL);
    }

    static Interval ofSorted(double[] sorted, double lowFraction, double highFraction) {
        return sorted.length < 2 ? NONE : new Interval(quantile(sorted, lowFraction), quantile(sorted, highFraction));
    }

    private static double quantile(double[] sorted, double fraction) {
        double place = fraction * (sorted.length - 1);
        int below = (int) Math.floor(place);
        int above = Math.min(below + 1, sorted.length - 1);
        double share = place - below;
        // Infinite neighbours have no difference.
        return share == 0 || sorted[below] == sorted[above]
                ? sorted[below]
                : sorted[below] + share * (sorted[above] - sorted[below]);
    }
}
