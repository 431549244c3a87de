package io.rasterflow.actors.membership;

import java.util.Optional;

/**
 * Weights that outlive all trainers: the newest checkpoint, or the seed.
 *
 * @param checkpoint directory; empty for the seed
 * @param step optimizer steps taken
 * @param digest what trainers that begin there call their history
 */
public record RestorePoint(String checkpoint, long step, String digest) {

    Origin origin() {
        return new Origin(
                checkpoint.isEmpty() ? Origin.Kind.SEED : Origin.Kind.CHECKPOINT, checkpoint, Optional.empty());
    }
}
