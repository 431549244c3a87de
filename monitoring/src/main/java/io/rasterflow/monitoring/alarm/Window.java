package io.rasterflow.monitoring.alarm;

import java.util.Arrays;

/** The last values of a series, and robust statistics of them. Values that are not finite are left out. */
final class Window {

    /** Makes the median of absolute deviations that of a normal distribution's standard deviation. */
    private static final double CONSISTENT = 1.4826;

    private final double[] values;
    private long added;

    Window(int capacity) {
        values = new double[capacity];
    }

    void add(double value) {
        if (Double.isFinite(value)) {
            values[(int) (added++ % values.length)] = value;
        }
    }

    int size() {
        return (int) Math.min(added, values.length);
    }

    int capacity() {
        return values.length;
    }

    boolean full() {
        return added >= values.length;
    }

    void clear() {
        added = 0;
    }

    /** NaN when empty. */
    double median() {
        return quantile(0.5);
    }

    /** Between the values next to it, linearly; NaN when empty. */
    double quantile(double share) {
        return quantile(Arrays.copyOf(values, size()), share);
    }

    /** Robust standard deviation; NaN when empty. */
    double deviation() {
        double median = median();
        double[] distances = Arrays.copyOf(values, size());
        for (int i = 0; i < distances.length; i++) {
            distances[i] = Math.abs(distances[i] - median);
        }
        return CONSISTENT * quantile(distances, 0.5);
    }

    /** The older or the newer half of a full window of an even capacity. */
    Window half(boolean newer) {
        int length = values.length / 2;
        Window half = new Window(length);
        long first = added - values.length + (newer ? length : 0);
        for (long i = first; i < first + length; i++) {
            half.add(values[(int) (i % values.length)]);
        }
        return half;
    }

    private static double quantile(double[] some, double share) {
        if (some.length == 0) {
            return Double.NaN;
        }
        Arrays.sort(some);
        double at = share * (some.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, some.length - 1);
        return some[below] + (at - below) * (some[above] - some[below]);
    }
}
