package io.rasterflow.actors.membership;

/**
 * An {@link Assignment} as it travels.
 *
 * @param roster who is in the generation
 * @param rank the receiver's
 * @param firstStep steps taken in the weights that everybody begins with
 * @param digest of the history behind them
 * @param origin where this rank takes them from
 * @param takers ranks that take theirs from this one
 */
public record Placement(Roster roster, int rank, long firstStep, String digest, Origin origin, int takers) {}
