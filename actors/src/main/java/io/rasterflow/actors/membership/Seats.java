package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** All trainers that are not known to be gone, and who is. */
final class Seats {

    /** Dead trainers and gone processes; of older ones nobody speaks any more. */
    private static final int REMEMBERED = 10_000;

    private final Map<DataAddress, Seat> seats = new LinkedHashMap<>();
    private final Set<DataAddress> dead = new LinkedHashSet<>();
    private final Set<String> gone = new LinkedHashSet<>();

    Optional<Seat> find(DataAddress address) {
        return Optional.ofNullable(seats.get(address));
    }

    Seat at(DataAddress address, long now) {
        return seats.computeIfAbsent(address, who -> new Seat(who, now));
    }

    Collection<Seat> all() {
        return seats.values();
    }

    List<Seat> of(String processId) {
        return seats.values().stream()
                .filter(seat -> seat.address.processId().equals(processId))
                .toList();
    }

    /** It does not come back under that address. */
    void bury(Seat seat) {
        seats.remove(seat.address);
        remember(dead, seat.address);
    }

    private static <T> void remember(Set<T> things, T thing) {
        things.add(thing);
        if (things.size() > REMEMBERED) {
            things.remove(things.iterator().next());
        }
    }

    boolean isDead(DataAddress address) {
        return dead.contains(address);
    }

    void markGone(String processId) {
        remember(gone, processId);
    }

    /** Processes that have ended for certain. One that is forgotten is counted as long as the cluster does: this side waits. */
    Set<String> gone() {
        return gone;
    }

    /** Trainers that have stopped and can be reached: they can give their weights to others, also when they are leaving. */
    List<Seat> stopped(long now) {
        return seats.values().stream()
                .filter(seat -> seat.stopped() && !seat.silent && seat.shunnedUntil <= now)
                .toList();
    }

    /** Those of them that can take a place. */
    List<Seat> candidates(long now) {
        return stopped(now).stream().filter(seat -> !seat.leaving()).toList();
    }

    /** Whoever was in the newest generation after that one; among several the one that was heard last. */
    Optional<Seat> newerThan(long generation) {
        return seats.values().stream()
                .filter(seat -> seat.generation() > generation)
                .max(Comparator.comparingLong(Seat::generation).thenComparingLong(seat -> seat.heard));
    }

    /** Somebody who was heard lately and is of another process. */
    Optional<Seat> witness(Seat suspect, long since) {
        return seats.values().stream()
                .filter(seat -> !seat.address.processId().equals(suspect.address.processId()) && seat.heard >= since)
                .max(Comparator.comparingLong(seat -> seat.heard));
    }

    /** Processes of trainers that were heard since then. */
    Set<String> heardSince(long since) {
        return seats.values().stream()
                .filter(seat -> seat.heard >= since && seat.standing.isPresent())
                .map(seat -> seat.address.processId())
                .collect(Collectors.toSet());
    }

    /** When a trainer fell silent last, of those that still are. */
    Optional<Long> lastSilence() {
        return seats.values().stream()
                .filter(seat -> seat.silent)
                .map(seat -> seat.silentSince)
                .max(Comparator.naturalOrder());
    }
}
