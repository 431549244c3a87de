package io.rasterflow.monitoring.alarm;

/**
 * A rank that holds the others up.
 *
 * @param ratio its own time per micro-batch over that of the others
 * @param part of its time that exceeds theirs by most
 */
public record Straggler(int rank, String node, double ratio, String part) {}
