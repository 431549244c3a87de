package io.rasterflow.monitoring.science;

/**
 * What a fit expects of one more measurement.
 *
 * @param value on the fitted curve
 * @param interval in which the measurement lies in 95 of 100 cases, its own noise included
 */
public record Prediction(double value, Interval interval) {

    /** Nothing is expected. */
    public static final Prediction NONE = new Prediction(Double.NaN, Interval.NONE);

    /** Of an accuracy, which a line may leave but no measurement: cut to 0 and 1. */
    public Prediction asShare() {
        return new Prediction(share(value), new Interval(share(interval.low()), share(interval.high())));
    }

    private static double share(double value) {
        return Math.max(0, Math.min(1, value));
    }
}
