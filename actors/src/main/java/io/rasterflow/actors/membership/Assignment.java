package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.Generation;

/**
 * A trainer's place in a new generation.
 *
 * @param generation all ranks
 * @param rank its own
 * @param firstStep steps taken in the weights that everybody begins with
 * @param digest of the history behind them
 * @param origin where this rank takes them from
 * @param takers ranks that take theirs from this one
 */
public record Assignment(Generation generation, int rank, long firstStep, String digest, Origin origin, int takers) {}
