package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The ranks of the generation that is under way or was last, as far as they are left. */
final class Ranks {

    final Generation generation;
    final long fingerprint;
    private final Set<DataAddress> addresses;
    /** In rank order. */
    private final List<Seat> left;

    Ranks(Generation generation, long fingerprint, Seats seats) {
        this.generation = generation;
        this.fingerprint = fingerprint;
        this.addresses = Set.copyOf(generation.members());
        this.left = new ArrayList<>(generation.members().stream()
                .flatMap(member -> seats.find(member).stream())
                .toList());
    }

    long number() {
        return generation.number();
    }

    /** Of all, also of those that are not left. */
    Set<DataAddress> addresses() {
        return addresses;
    }

    void remove(Seat seat) {
        left.remove(seat);
    }

    /** Those that are not silent, in rank order. */
    List<Seat> present() {
        return left.stream().filter(seat -> !seat.silent).toList();
    }

    boolean allSilent() {
        return left.size() == generation.worldSize() && left.stream().allMatch(seat -> seat.silent);
    }

    /** Whether all that are present have taken the last step. */
    boolean finished() {
        boolean any = false;
        for (Seat seat : left) {
            if (!seat.silent && !finished(seat)) {
                return false;
            }
            any |= !seat.silent;
        }
        return any;
    }

    private boolean finished(Seat seat) {
        return seat.stoppedIn(number()) && seat.standing.get().phase() == Phase.FINISHED;
    }

    /** Whether one has stopped before the last step, or is not there. */
    boolean broken() {
        int present = 0;
        for (Seat seat : left) {
            if (!seat.silent) {
                present++;
                if (seat.closed(number()) && !finished(seat)) {
                    return true;
                }
            }
        }
        return present < generation.worldSize();
    }

    /**
     * Whether one has not stopped yet. Who seems to have stopped in an older generation may be on its way into this one: it
     * must say that it stays where it is.
     */
    boolean move() {
        for (Seat seat : left) {
            if (moves(seat)) {
                return true;
            }
        }
        return false;
    }

    boolean moves(Seat seat) {
        return !seat.silent && !seat.closed(number());
    }

    boolean allTrain() {
        return left.stream()
                .filter(seat -> !seat.silent)
                .allMatch(seat ->
                        seat.generation() == number() && seat.standing.get().phase() == Phase.TRAINING);
    }
}
