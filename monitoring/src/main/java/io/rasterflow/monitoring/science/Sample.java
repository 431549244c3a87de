package io.rasterflow.monitoring.science;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Values of one quantity, ready to be drawn from again and again: n values on a scale of their own, and their order.
 *
 * @param scaled (value - mean) / largest deviation, so that squares of very large or small values stay in range
 * @param order indexes of the values from the smallest on
 * @param firstOfTie for each place in {@code order}, the first place with the same value
 */
record Sample(double[] scaled, int[] order, int[] firstOfTie) {

    /** Mean square of scaled values that is rounding. */
    private static final double NO_VARIATION = 1e-28;

    static Sample of(double[] values) {
        double mean = Arrays.stream(values).average().orElseThrow();
        double scale = Arrays.stream(values).map(v -> Math.abs(v - mean)).max().orElseThrow();
        double[] scaled = Arrays.stream(values)
                .map(v -> scale > 0 ? (v - mean) / scale : 0)
                .toArray();
        int[] order = IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> values[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        int[] firstOfTie = new int[order.length];
        for (int place = 1; place < order.length; place++) {
            boolean tied = values[order[place]] == values[order[place - 1]];
            firstOfTie[place] = tied ? firstOfTie[place - 1] : place;
        }
        return new Sample(scaled, order, firstOfTie);
    }

    /** Deviations within the rounding of the mean are no variation. */
    static boolean varies(double[] values) {
        double mean = Arrays.stream(values).average().orElseThrow();
        return Arrays.stream(values).anyMatch(v -> Math.abs(v - mean) > 4 * Math.ulp(mean));
    }

    /**
     * Ranks in a sample that holds value i {@code counts[i]} times; tied values share the mean of their ranks.
     *
     * @param ranks receives the rank of each value that is in the sample
     */
    void midRanks(int[] counts, double[] ranks) {
        int before = 0;
        for (int from = 0; from < order.length; ) {
            int to = from;
            int tied = 0;
            while (to < order.length && firstOfTie[to] == from) {
                tied += counts[order[to]];
                to++;
            }
            double rank = before + (tied + 1) / 2.0;
            for (int place = from; place < to; place++) {
                ranks[order[place]] = rank;
            }
            before += tied;
            from = to;
        }
    }

    /**
     * Pearson's r of a sample that holds pair i {@code counts[i]} times.
     *
     * @return in [-1, 1]; NaN where one of the two does not vary
     */
    static double pearson(double[] x, double[] y, int[] counts) {
        double n = 0;
        double meanX = 0;
        double meanY = 0;
        for (int i = 0; i < counts.length; i++) {
            n += counts[i];
            meanX += counts[i] * x[i];
            meanY += counts[i] * y[i];
        }
        meanX /= n;
        meanY /= n;
        double xx = 0;
        double yy = 0;
        double xy = 0;
        for (int i = 0; i < counts.length; i++) {
            double dx = x[i] - meanX;
            double dy = y[i] - meanY;
            xx += counts[i] * dx * dx;
            yy += counts[i] * dy * dy;
            xy += counts[i] * dx * dy;
        }
        if (!(xx > NO_VARIATION * n) || !(yy > NO_VARIATION * n)) {
            return Double.NaN;
        }
        double r = xy / Math.sqrt(xx * yy);
        // What only rounding keeps from a line is one.
        return Math.abs(r) > 1 - 1e-15 ? Math.signum(r) : r;
    }
}
