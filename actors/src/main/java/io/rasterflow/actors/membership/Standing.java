package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import java.util.Optional;

/**
 * What a trainer says of itself.
 *
 * @param address who it is: unique over processes and restarts
 * @param node name of its node
 * @param sequence rises with every change; an older standing that comes late is ignored
 * @param phase see {@link Phase}
 * @param generation the last one that it was part of; empty before the first
 * @param closed the highest generation in which nothing can make it move any more: it has stopped in it, or was told that it
 *     is over before it heard that it has a place in it
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
        Optional<Generation> generation,
        long closed,
        long step,
        String digest,
        String weightsSha256,
        boolean leaving,
        double microBatchSeconds) {

    /** Number of the last generation that it was part of; 0 before the first. */
    public long generationNumber() {
        return generation.map(Generation::number).orElse(0L);
    }

    /** Whether it has stopped in that generation. */
    boolean stoppedIn(long number) {
        return phase.stopped() && generationNumber() == number;
    }

    boolean hasWeights() {
        return step >= 0;
    }
}
