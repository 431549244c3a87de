package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What the ranks of a generation are told, as often as it takes: as little as each of them needs to know. */
final class Places {

    private final Generation generation;
    private final long fingerprint;
    private final Optional<Ranks> before;
    private final Map<DataAddress, Assignment> assignments = new LinkedHashMap<>();
    private Optional<Roster> whole = Optional.empty();
    private Optional<Roster> change = Optional.empty();

    /** @param before the last generation */
    Places(Generation generation, long fingerprint, Optional<Ranks> before) {
        this.generation = generation;
        this.fingerprint = fingerprint;
        this.before = before;
    }

    void give(DataAddress address, Assignment assignment) {
        assignments.put(address, assignment);
    }

    /** The order for a rank of the generation, which follows from where it stood last. */
    Order.Form form(Seat seat) {
        Assignment place = assignments.get(seat.address);
        return new Order.Form(
                seat.address,
                new Placement(
                        roster(seat), place.rank(), place.firstStep(), place.digest(), place.origin(), place.takers()));
    }

    /** The order to connect to all that are expected in the generation. */
    Order.Expect expect(Seat seat, int rank) {
        return new Order.Expect(seat.address, roster(seat), rank);
    }

    Generation generation() {
        return generation;
    }

    /** Rank 0's. */
    Assignment first() {
        return assignments.get(generation.members().get(0));
    }

    private Roster roster(Seat seat) {
        if (before.isPresent() && seat.lastWasIn(before.get().number(), before.get().fingerprint)) {
            change = change.or(() ->
                    before.map(base -> Roster.change(base.generation, base.fingerprint, generation, fingerprint)));
            return change.get();
        }
        whole = whole.or(() -> Optional.of(Roster.whole(generation, fingerprint)));
        return whole.get();
    }
}
