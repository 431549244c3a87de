package io.rasterflow.actors.membership;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Trainers that ask to leave: no weights may go with them that nobody else has. */
final class Departures {

    private final Seats seats;
    private final Supplier<Optional<RestorePoint>> restorePoint;
    private final Orders orders;

    Departures(Seats seats, Supplier<Optional<RestorePoint>> restorePoint, Orders orders) {
        this.seats = seats;
        this.restorePoint = restorePoint;
        this.orders = orders;
    }

    /** Lets go whoever has stopped and asked for it; the caller need not count on them any more. */
    List<Seat> letGo() {
        List<Seat> leavers = seats.all().stream()
                .filter(seat -> seat.leaving() && seat.stopped())
                .toList();
        leavers.forEach(seat -> orders.add(new Order.Retire(seat.address, "it asked to leave")));
        return leavers;
    }

    /** As above where nobody else may go on with their weights: they are saved first. */
    List<Seat> letGoSafely(long now) {
        boolean leavers = seats.all().stream().anyMatch(seat -> seat.leaving() && seat.stopped() && !seat.silent);
        return leavers && safe(seats.all(), now) ? letGo() : List.of();
    }

    /** Whether the last checkpoint is as good as their weights; the most advanced of them is asked for one otherwise. */
    boolean safe(Collection<Seat> left, long now) {
        Optional<RestorePoint> saved = restorePoint.get();
        Optional<Seat> best = Choice.best(left);
        if (saved.isEmpty() || best.isEmpty()) {
            return best.isEmpty();
        }
        if (saved.get().step() < best.get().step()) {
            orders.tell(best.get(), new Order.Save(best.get().address), now);
            return false;
        }
        return true;
    }
}
