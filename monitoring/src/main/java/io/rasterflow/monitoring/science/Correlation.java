package io.rasterflow.monitoring.science;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How two measured values go together, such as validation loss and probe accuracy. AIM (arXiv 2401.08541, section 4) reports
 * that the pre-training loss tracks downstream accuracy; this is the number for that claim.
 *
 * @param points pairs of finite values that were used
 * @param pearson r in [-1, 1]: strength of the linear relation; NaN with fewer than {@value #MINIMUM} points or when one
 *     of the two values does not vary
 * @param spearman rho in [-1, 1]: Pearson's r of the ranks (ties get their mean rank), so of any monotone relation; NaN
 *     as above
 * @param pearsonLow lower end of the 95 % confidence interval of r by Fisher's transformation; NaN with fewer than 4 points
 * @param pearsonHigh upper end of it
 */
public record Correlation(int points, double pearson, double spearman, double pearsonLow, double pearsonHigh) {

    /** Two points always lie on a line: below three nothing is said. */
    public static final int MINIMUM = 3;

    /** 97.5 % quantile of the standard normal distribution. */
    private static final double Z_975 = 1.959963984540054;

    /** No points yet. */
    public static final Correlation NONE = new Correlation(0, Double.NaN, Double.NaN, Double.NaN, Double.NaN);

    /** One pair of values. */
    public record Point(double x, double y) {
        boolean isFinite() {
            return Double.isFinite(x) && Double.isFinite(y);
        }
    }

    /** The correlation of the finite pairs among the given ones. */
    public static Correlation of(List<Point> pairs) {
        double[] x =
                pairs.stream().filter(Point::isFinite).mapToDouble(Point::x).toArray();
        double[] y =
                pairs.stream().filter(Point::isFinite).mapToDouble(Point::y).toArray();
        if (x.length < MINIMUM) {
            return new Correlation(x.length, Double.NaN, Double.NaN, Double.NaN, Double.NaN);
        }
        double r = pearson(x, y);
        double halfWidth = x.length > 3 ? Z_975 / Math.sqrt(x.length - 3.0) : Double.NaN;
        return new Correlation(x.length, r, pearson(ranks(x), ranks(y)), fisher(r, -halfWidth), fisher(r, halfWidth));
    }

    /** Whether there are points enough to say anything. */
    public boolean known() {
        return points >= MINIMUM && Double.isFinite(pearson);
    }

    /** One line for people, such as {@code r = -0.97 (95 % -0.99 to -0.90), rho = -0.95, n = 8}. */
    public String describe() {
        if (points < MINIMUM) {
            return "needs " + MINIMUM + " points, has " + points;
        }
        if (!known()) {
            return "undefined over " + points + " points: one of the values does not vary";
        }
        String interval = Double.isNaN(pearsonLow)
                ? ""
                : String.format(java.util.Locale.ROOT, " (95 %% %.2f to %.2f)", pearsonLow, pearsonHigh);
        return String.format(
                java.util.Locale.ROOT, "r = %.3f%s, rho = %.3f, n = %d", pearson, interval, spearman, points);
    }

    private static double pearson(double[] x, double[] y) {
        double meanX = Arrays.stream(x).average().orElseThrow();
        double meanY = Arrays.stream(y).average().orElseThrow();
        // Scaled by the largest deviation, so that the squares of very large or small values stay in range.
        double scaleX = Arrays.stream(x).map(v -> Math.abs(v - meanX)).max().orElseThrow();
        double scaleY = Arrays.stream(y).map(v -> Math.abs(v - meanY)).max().orElseThrow();
        if (!varies(scaleX, meanX) || !varies(scaleY, meanY)) {
            return Double.NaN;
        }
        double xx = 0;
        double yy = 0;
        double xy = 0;
        for (int i = 0; i < x.length; i++) {
            double dx = (x[i] - meanX) / scaleX;
            double dy = (y[i] - meanY) / scaleY;
            xx += dx * dx;
            yy += dy * dy;
            xy += dx * dy;
        }
        return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
    }

    /** Deviations within the rounding of the mean are no variation. */
    private static boolean varies(double largestDeviation, double mean) {
        return largestDeviation > 4 * Math.ulp(mean);
    }

    private static double[] ranks(double[] values) {
        Integer[] order = IntStream.range(0, values.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(i -> values[i]));
        double[] ranks = new double[values.length];
        for (int from = 0; from < order.length; ) {
            int to = from;
            while (to < order.length && values[order[to]] == values[order[from]]) {
                to++;
            }
            for (int i = from; i < to; i++) {
                ranks[order[i]] = (from + 1 + to) / 2.0;
            }
            from = to;
        }
        return ranks;
    }

    private static double fisher(double r, double shift) {
        // atanh(±1) is infinite, and a perfect correlation has no width.
        return Math.abs(r) == 1 ? r : Math.tanh(0.5 * Math.log((1 + r) / (1 - r)) + shift);
    }
}
