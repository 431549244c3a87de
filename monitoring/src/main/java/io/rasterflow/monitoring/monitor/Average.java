package io.rasterflow.monitoring.monitor;

/** Exponential moving average over about ten values, without bias towards zero at its start. */
final class Average {

    private static final double KEEP = 0.9;

    private double sum;
    private double weight;

    void add(double value) {
        if (Double.isFinite(value)) {
            sum = KEEP * sum + (1 - KEEP) * value;
            weight = KEEP * weight + (1 - KEEP);
        }
    }

    /** NaN before the first value. */
    double value() {
        return weight == 0 ? Double.NaN : sum / weight;
    }
}
