package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;

/**
 * What a trainer says of itself.
 *
 * @param address who it is: unique over processes and restarts
 * @param node name of its node
 * @param sequence rises with every change; an older standing that comes late is ignored
 * @param phase see {@link Phase}
 * @param generation number of the last one that it was part of; 0 before the first
 * @param fingerprint of that one's members, see {@link io.rasterflow.actors.exchange.Generation#fingerprint}: who they are
 *     is told to whoever asks
 * @param closed the highest generation in which nothing can make it move any more: it has stopped in it, or was told that it
 *     is over before it heard that it has a place in it
 * @param expected number of a later generation in which it is connected to all, before it has a place in it; otherwise 0
 * @param step optimizer steps in its weights; -1 while it has none
 * @param digest of the history behind the weights, see {@link Member#applied}; empty without weights
 * @param weightsSha256 of the final weights once {@link Phase#FINISHED}; empty before
 * @param leaving whether it asks to be let go at a step boundary
 * @param microBatchSeconds computing time of one micro-batch, averaged; 0 while unknown
 */
public record Standing(
        DataAddress address,
        String node,
        long sequence,
        Phase phase,
        long generation,
        long fingerprint,
        long closed,
        long expected,
        long step,
        String digest,
        String weightsSha256,
        boolean leaving,
        double microBatchSeconds) {

    /** Whether it has stopped in that generation. */
    boolean stoppedIn(long number) {
        return phase.stopped() && generation == number;
    }

    boolean hasWeights() {
        return step >= 0;
    }
}
