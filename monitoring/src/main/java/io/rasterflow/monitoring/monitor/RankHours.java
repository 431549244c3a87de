package io.rasterflow.monitoring.monitor;

/** How long ranks have been held for the run, pauses between steps included: what their price by the hour is paid for. */
final class RankHours {

    private static final double MILLIS = 3_600_000;

    private long untilMillis = Long.MAX_VALUE;
    private double hours;
    private double seconds;

    /** The time before is not of the run. */
    void start(long timeMillis) {
        untilMillis = timeMillis;
    }

    void step(long timeMillis, int worldSize) {
        long millis = Math.max(0, timeMillis - untilMillis);
        hours += millis / MILLIS * worldSize;
        seconds += millis / 1e3;
        untilMillis = timeMillis;
    }

    /** How long the run has gone on, over all of its starts. */
    double seconds() {
        return seconds;
    }

    double value() {
        return hours;
    }
}
