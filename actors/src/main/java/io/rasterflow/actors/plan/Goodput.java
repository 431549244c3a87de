package io.rasterflow.actors.plan;

/**
 * What failures leave of a run.
 *
 * @param fraction steps that count, against those of a run that nothing disturbs in the same time
 * @param failures that were simulated
 * @param lostSecondsPerFailure of the whole cluster
 */
public record Goodput(double fraction, int failures, double lostSecondsPerFailure) {}
