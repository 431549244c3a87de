package io.rasterflow.monitoring.monitor;

/** How long ranks have been held for the run, pauses between steps included: what their price by the hour is paid for. */
final class RankHours {

    private static final double MILLIS = 3_600_000;

    private long untilMillis = Long.MAX_VALUE;
    private double hours;

    /** The time before is not of the run. */
    void start(long timeMillis) {
        untilMillis = timeMillis;
    }

    void step(long timeMillis, int worldSize) {
        hours += Math.max(0, timeMillis - untilMillis) / MILLIS * worldSize;
        untilMillis = timeMillis;
    }

    double value() {
        return hours;
    }
}
