package io.rasterflow.actors.membership;

/**
 * What a run asks of its membership.
 *
 * @param worldSize ranks to wait for before the first step
 * @param minNodes trainer processes without which nobody trains; the run waits until they are back
 * @param microBatches of a step: no more ranks than that can compute
 * @param steps of the run
 * @param silenceMillis a trainer that was not heard for so long is looked after
 */
public record Rules(int worldSize, int minNodes, int microBatches, long steps, long silenceMillis) {
    public Rules {
        if (worldSize < 1 || worldSize > microBatches) {
            throw new IllegalArgumentException("world size " + worldSize + ": must be between 1 and the " + microBatches
                    + " micro-batches of a step");
        }
        if (minNodes < 1) {
            throw new IllegalArgumentException("cluster.minNodes must be at least 1 but is " + minNodes);
        }
    }
}
