package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import java.util.Optional;

/** A trainer that is not known to be gone. */
final class Seat {
    final DataAddress address;
    Optional<Standing> standing = Optional.empty();
    /** When it was last heard, and when somebody was last asked to look after it. */
    long heard;

    long asked = Long.MIN_VALUE / 2;
    /** Not heard, and not found by another either. */
    boolean silent;

    long silentSince;
    /** Left out of new generations until then, because peers do not reach it. */
    long shunnedUntil = Long.MIN_VALUE;

    /** The last order, which may have to be said again. */
    private final Repetition told = new Repetition();

    Seat(DataAddress address, long now) {
        this.address = address;
        this.heard = now;
    }

    /** Whether to give it that order now, if it was not just given it. */
    boolean mayBeTold(Object order, long now) {
        return told.due(order, now);
    }

    boolean stopped() {
        return standing.isPresent() && standing.get().phase().stopped();
    }

    boolean stoppedIn(long generation) {
        return standing.isPresent() && standing.get().stoppedIn(generation);
    }

    /** Whether no order that is still on its way can make it move in that generation or an older one. */
    boolean closed(long generation) {
        return standing.isPresent() && standing.get().closed() >= generation;
    }

    long generation() {
        return standing.map(Standing::generation).orElse(0L);
    }

    /** The generation whose ranks it is connected to before it has a place; 0 without one. */
    long expected() {
        return standing.map(Standing::expected).orElse(0L);
    }

    /** Whether it knows the members of that generation. */
    boolean lastWasIn(long generation, long fingerprint) {
        return standing.isPresent()
                && standing.get().generation() == generation
                && standing.get().fingerprint() == fingerprint;
    }

    boolean leaving() {
        return standing.isPresent() && standing.get().leaving();
    }

    long step() {
        return standing.map(Standing::step).orElse(-1L);
    }

    String digest() {
        return standing.map(Standing::digest).orElse("");
    }

    String node() {
        return standing.map(Standing::node).orElse(address.host() + ":" + address.port());
    }

    /** Whether its weights are part of this run's history: it was once given a place in it. */
    boolean trusted() {
        return standing.isPresent()
                && standing.get().generation() > 0
                && standing.get().hasWeights();
    }
}
