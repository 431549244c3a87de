package io.rasterflow.monitoring.monitor;

/** How long ranks have been held for the run, pauses between steps included: what their price by the hour is paid for. */
final class RankHours {

    private static final double MILLIS = 3_600_000;

    private long untilMillis = Long.MAX_VALUE;
    private double hours;
    private double price = Double.NaN;
    private double cost = Double.NaN;
    private double seconds;

    /**
     * The time before is not of the run.
     *
     * @param rankHourPrice from now on; NaN where it is not known
     */
    void start(long timeMillis, double rankHourPrice) {
        untilMillis = timeMillis;
        price = rankHourPrice;
        if (Double.isNaN(cost) && !Double.isNaN(price)) {
            cost = 0;
        }
    }

    void step(long timeMillis, int worldSize) {
        long millis = Math.max(0, timeMillis - untilMillis);
        hours += millis / MILLIS * worldSize;
        seconds += millis / 1e3;
        if (!Double.isNaN(price)) {
            cost += millis / MILLIS * worldSize * price;
        }
        untilMillis = timeMillis;
    }

    /** How long the run has gone on, over all of its starts. */
    double seconds() {
        return seconds;
    }

    /** What was paid for them since the first start that had a price; NaN where none had. */
    double cost() {
        return cost;
    }

    double value() {
        return hours;
    }
}
