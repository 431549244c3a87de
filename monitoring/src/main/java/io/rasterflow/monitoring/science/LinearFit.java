package io.rasterflow.monitoring.science;

import java.util.Arrays;
import org.hipparchus.distribution.continuous.TDistribution;

/**
 * The least-squares line y = intercept + slope · x.
 *
 * @param points pairs n that it was fitted to
 * @param slope y per x; NaN, as everything else, with fewer than {@value Correlation#MINIMUM} points or where x does not vary
 * @param intercept y at x = 0
 * @param slopeInterval of the slope, by Student's t with n - 2 degrees of freedom
 * @param deviation standard deviation of the residuals, in units of y
 * @param meanX centre of the points
 * @param spreadX sum of the squared distances of x from its mean
 */
public record LinearFit(
        int points,
        double slope,
        double intercept,
        Interval slopeInterval,
        double deviation,
        double meanX,
        double spreadX) {

    /** No line. */
    public static final LinearFit NONE =
            new LinearFit(0, Double.NaN, Double.NaN, Interval.NONE, Double.NaN, Double.NaN, Double.NaN);

    static LinearFit of(double[] x, double[] y) {
        int n = x.length;
        if (n < Correlation.MINIMUM || !Sample.varies(x)) {
            return NONE;
        }
        double meanX = Arrays.stream(x).average().orElseThrow();
        double meanY = Arrays.stream(y).average().orElseThrow();
        double xx = 0;
        double xy = 0;
        for (int i = 0; i < n; i++) {
            xx += (x[i] - meanX) * (x[i] - meanX);
            xy += (x[i] - meanX) * (y[i] - meanY);
        }
        double slope = xy / xx;
        double squares = 0;
        for (int i = 0; i < n; i++) {
            double residual = y[i] - meanY - slope * (x[i] - meanX);
            squares += residual * residual;
        }
        double deviation = Math.sqrt(squares / (n - 2));
        double half = quantile(n) * deviation / Math.sqrt(xx);
        return new LinearFit(
                n, slope, meanY - slope * meanX, new Interval(slope - half, slope + half), deviation, meanX, xx);
    }

    private static double quantile(int points) {
        return new TDistribution(points - 2).inverseCumulativeProbability(1 - Interval.TAIL);
    }

    /** Whether there is a line. */
    public boolean known() {
        return Double.isFinite(slope);
    }

    /** What y one more pair would have at an x. */
    public Prediction at(double x) {
        if (!known()) {
            return Prediction.NONE;
        }
        double value = intercept + slope * x;
        double distance = x - meanX;
        double half = quantile(points) * deviation * Math.sqrt(1 + 1.0 / points + distance * distance / spreadX);
        return new Prediction(value, new Interval(value - half, value + half));
    }

    /** What y one more pair would have at an x that is foretold itself: the errors of line and x are taken as independent. */
    public Prediction at(Prediction x) {
        Prediction here = at(x.value());
        if (!x.interval().known() || !here.interval().known()) {
            return Prediction.NONE;
        }
        double ofLine = here.interval().high() - here.value();
        double one = slope * (x.interval().low() - x.value());
        double other = slope * (x.interval().high() - x.value());
        return new Prediction(
                here.value(),
                new Interval(
                        here.value() - Math.hypot(ofLine, Math.min(one, other)),
                        here.value() + Math.hypot(ofLine, Math.max(one, other))));
    }
}
