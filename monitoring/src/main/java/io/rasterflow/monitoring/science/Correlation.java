package io.rasterflow.monitoring.science;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * How two measured values go together, such as validation loss and probe accuracy. AIM (arXiv 2401.08541, section 4) reports
 * that the pre-training loss tracks downstream accuracy; this is the number for that claim, and what speaks against
 * believing it: an interval, the ranks beside the values, what hangs on a single point, and whether the changes go
 * together too or only the trends.
 *
 * @param points pairs of finite values that were used
 * @param pearson r in [-1, 1]: strength of the linear relation; NaN with fewer than {@value #MINIMUM} points or when one
 *     of the two values does not vary
 * @param pearsonLow lower end of its 95 % bootstrap interval (BCa); NaN with fewer than {@value #INTERVAL_MINIMUM} points
 * @param pearsonHigh upper end of it
 * @param spearman rho in [-1, 1]: Pearson's r of the ranks (ties get their mean rank), so of any monotone relation, and
 *     hardly moved by outliers; NaN as above
 * @param spearmanLow lower end of its interval
 * @param spearmanHigh upper end of it
 * @param influence what r hangs on
 * @param changes Spearman's rho of the changes from one point of a series to the next. Loss and accuracy that both drift
 *     correlate whatever they have to do with each other; their changes do not. NaN where the points are no series or have
 *     fewer than {@value #MINIMUM} changes
 * @param line accuracy expected at a loss
 */
public record Correlation(
        int points,
        double pearson,
        double pearsonLow,
        double pearsonHigh,
        double spearman,
        double spearmanLow,
        double spearmanHigh,
        Influence influence,
        double changes,
        LinearFit line) {

    /** Two points always lie on a line: below three nothing is said. */
    public static final int MINIMUM = 3;

    /** Fewer points drawn with replacement are too often the same one or two. */
    public static final int INTERVAL_MINIMUM = 5;

    /** r moves by more than this when one point goes: that point is named. */
    private static final double MUCH = 0.1;

    /** No points yet. */
    public static final Correlation NONE = unknown(0);

    /** One pair of values. */
    public record Point(double x, double y) {
        boolean isFinite() {
            return Double.isFinite(x) && Double.isFinite(y);
        }
    }

    /**
     * Pearson's r with one point left out in turn.
     *
     * @param point the finite pair, counted from 0, without which r moves farthest; -1 where there are too few points
     * @param without r without it
     * @param low smallest r without any one point
     * @param high largest
     */
    public record Influence(int point, double without, double low, double high) {
        /** Not known. */
        public static final Influence NONE = new Influence(-1, Double.NaN, Double.NaN, Double.NaN);
    }

    /** Of the finite pairs among the given ones, whose order says nothing. */
    public static Correlation of(List<Point> pairs) {
        return of(pairs, Bootstrap.DEFAULT, false);
    }

    /** Of the finite pairs among the given ones, which follow each other in time. */
    public static Correlation ofSeries(List<Point> pairs) {
        return of(pairs, Bootstrap.DEFAULT, true);
    }

    static Correlation of(List<Point> pairs, Bootstrap bootstrap, boolean series) {
        List<Point> finite = pairs.stream().filter(Point::isFinite).toList();
        double[] x = finite.stream().mapToDouble(Point::x).toArray();
        double[] y = finite.stream().mapToDouble(Point::y).toArray();
        int n = x.length;
        if (n < MINIMUM || !Sample.varies(x) || !Sample.varies(y)) {
            return unknown(n);
        }
        Pairs sample = new Pairs(Sample.of(x), Sample.of(y));
        int[] once = new int[n];
        Arrays.fill(once, 1);
        Interval pearson = n < INTERVAL_MINIMUM ? Interval.NONE : bootstrap.interval(n, sample::pearson);
        Interval spearman = n < INTERVAL_MINIMUM ? Interval.NONE : bootstrap.interval(n, sample::spearman);
        double r = sample.pearson(once);
        return new Correlation(
                n,
                r,
                pearson.low(),
                pearson.high(),
                sample.spearman(once),
                spearman.low(),
                spearman.high(),
                influence(r, Bootstrap.leaveOneOut(n, sample::pearson)),
                series ? changes(finite) : Double.NaN,
                LinearFit.of(x, y));
    }

    private static Correlation unknown(int points) {
        double nan = Double.NaN;
        return new Correlation(points, nan, nan, nan, nan, nan, nan, Influence.NONE, nan, LinearFit.NONE);
    }

    private record Pairs(Sample x, Sample y) {

        double pearson(int[] counts) {
            return Sample.pearson(x.scaled(), y.scaled(), counts);
        }

        double spearman(int[] counts) {
            double[] ranksX = new double[counts.length];
            double[] ranksY = new double[counts.length];
            x.midRanks(counts, ranksX);
            y.midRanks(counts, ranksY);
            return Sample.pearson(ranksX, ranksY, counts);
        }
    }

    private static Influence influence(double r, double[] without) {
        if (without.length <= MINIMUM) {
            return Influence.NONE; // Two points are left, which always lie on a line.
        }
        int farthest = -1;
        double low = Double.NaN;
        double high = Double.NaN;
        for (int i = 0; i < without.length; i++) {
            if (Double.isNaN(without[i])) {
                continue; // The others do not vary.
            }
            low = Double.isNaN(low) ? without[i] : Math.min(low, without[i]);
            high = Double.isNaN(high) ? without[i] : Math.max(high, without[i]);
            if (farthest < 0 || Math.abs(without[i] - r) > Math.abs(without[farthest] - r)) {
                farthest = i;
            }
        }
        return farthest < 0 ? Influence.NONE : new Influence(farthest, without[farthest], low, high);
    }

    private static double changes(List<Point> series) {
        List<Point> changes = new ArrayList<>();
        for (int i = 1; i < series.size(); i++) {
            changes.add(new Point(
                    series.get(i).x() - series.get(i - 1).x(),
                    series.get(i).y() - series.get(i - 1).y()));
        }
        double[] x = changes.stream().mapToDouble(Point::x).toArray();
        double[] y = changes.stream().mapToDouble(Point::y).toArray();
        if (x.length < MINIMUM || !Sample.varies(x) || !Sample.varies(y)) {
            return Double.NaN;
        }
        int[] once = new int[x.length];
        Arrays.fill(once, 1);
        return new Pairs(Sample.of(x), Sample.of(y)).spearman(once);
    }

    /** Whether there are points enough to say anything. */
    public boolean known() {
        return points >= MINIMUM && Double.isFinite(pearson);
    }

    /**
     * One line for people, such as {@code r = -0.970 (95 % -0.99 to -0.90), rho = -0.950 (95 % -1.00 to -0.71), n = 8}.
     */
    public String describe() {
        if (points < MINIMUM) {
            return "needs " + MINIMUM + " points, has " + points;
        }
        if (!known()) {
            return "undefined over " + points + " points: one of the values does not vary";
        }
        String line = text("r = %.3f%s", pearson, interval(pearsonLow, pearsonHigh))
                + text(", rho = %.3f%s, n = %d", spearman, interval(spearmanLow, spearmanHigh), points);
        if (points < INTERVAL_MINIMUM) {
            line += ", too few for an interval";
        }
        if (Math.abs(influence.without() - pearson) > MUCH) {
            line += text("; without point %d r = %.3f", influence.point() + 1, influence.without());
        }
        return Double.isNaN(changes) ? line : line + text("; rho of the changes = %.3f", changes);
    }

    private static String interval(double low, double high) {
        return Double.isNaN(low) ? "" : text(" (95 %% %.2f to %.2f)", low, high);
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
