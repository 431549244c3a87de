package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import java.util.Optional;

/**
 * Where a rank takes the weights from that its generation begins with.
 *
 * @param kind which of the four
 * @param checkpoint directory, of {@link Kind#CHECKPOINT}; otherwise empty
 * @param peer of {@link Kind#PEER}
 */
public record Origin(Kind kind, String checkpoint, Optional<DataAddress> peer) {

    /** The four ways. */
    public enum Kind {
        /** It has them already. */
        KEPT,
        /** Another rank sends weights and optimizer state over the data plane. */
        PEER,
        /** A checkpoint directory. */
        CHECKPOINT,
        /** Drawn from the run's seed. */
        SEED
    }

    static final Origin KEPT = new Origin(Kind.KEPT, "", Optional.empty());

    static Origin peer(DataAddress peer) {
        return new Origin(Kind.PEER, "", Optional.of(peer));
    }
}
