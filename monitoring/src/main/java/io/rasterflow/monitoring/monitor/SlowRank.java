package io.rasterflow.monitoring.monitor;

/**
 * A rank that holds the others up.
 *
 * @param ratio its own time per micro-batch over that of the others, above 1
 * @param part of its own time that exceeds the others' by most: {@code input wait}, {@code compute} or {@code update}
 * @param sinceStep step at which it was first named
 */
public record SlowRank(int rank, String node, double ratio, String part, long sinceStep) {}
