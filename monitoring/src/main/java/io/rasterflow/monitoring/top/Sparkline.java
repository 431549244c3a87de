package io.rasterflow.monitoring.top;

import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import java.util.Arrays;

/** A curve as a row of blocks. */
final class Sparkline {

    private static final String BLOCKS = "▁▂▃▄▅▆▇█";
    private static final char NOTHING = ' ';

    private Sparkline() {}

    /**
     * Steps from left to right, each column the mean of its finite values; a column without any repeats the one before it.
     *
     * @param columns how many at most; a curve of fewer points takes as many as it has
     */
    static String of(Tail curve, int columns) {
        int points = curve.steps().size();
        int width = Math.min(columns, points);
        if (width < 1) {
            return "";
        }
        double[] means = means(curve, width);
        double low = Arrays.stream(means).filter(Double::isFinite).min().orElse(Double.NaN);
        double high = Arrays.stream(means).filter(Double::isFinite).max().orElse(Double.NaN);
        StringBuilder blocks = new StringBuilder(width);
        char last = NOTHING;
        for (double mean : means) {
            if (Double.isFinite(mean)) {
                double share = high > low ? (mean - low) / (high - low) : 0;
                last = BLOCKS.charAt((int) Math.round(share * (BLOCKS.length() - 1)));
            }
            blocks.append(last);
        }
        return blocks.toString();
    }

    private static double[] means(Tail curve, int width) {
        long first = curve.steps().get(0);
        long last = curve.steps().get(curve.steps().size() - 1);
        double[] sums = new double[width];
        int[] counts = new int[width];
        for (int i = 0; i < curve.steps().size(); i++) {
            double value = curve.values().get(i);
            if (Double.isFinite(value)) {
                double place = (curve.steps().get(i) - first) / (double) (last - first + 1);
                int column = (int) (place * width);
                sums[column] += value;
                counts[column]++;
            }
        }
        for (int column = 0; column < width; column++) {
            sums[column] /= counts[column];
        }
        return sums;
    }
}
