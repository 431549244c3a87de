package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Who will be in the next generation, when trainers join: they and the ranks of this one connect while the latter still
 * train, so that nobody waits for connections at the step boundary. It binds nobody. The next generation is formed of
 * whoever is there then; if it is these, its number is the expected one, and they are connected already.
 */
final class Expectation {

    /** Then the joiners are let in all the same, and connections are made at the boundary. */
    private static final long PATIENCE_MILLIS = 15_000;

    private final int microBatches;
    private final Orders orders;
    private final GenerationNumbers numbers;
    private Optional<Places> next = Optional.empty();
    private long since;

    /** What a seat was told, see {@link Seat#mayBeTold}. */
    private record Told(long expected) {}

    /** @param microBatches of a global batch, and so the most ranks */
    Expectation(int microBatches, Orders orders, GenerationNumbers numbers) {
        this.microBatches = microBatches;
        this.orders = orders;
        this.numbers = numbers;
    }

    /**
     * Tells those that are not connected yet to connect.
     *
     * @param current the ranks that train
     * @param candidates who would take a place beside them
     * @param known the highest number that any generation has
     * @return whether all are, or it takes too long
     */
    boolean isMet(Ranks current, List<Seat> candidates, long known, long now) {
        List<Seat> chosenFrom = Stream.concat(current.present().stream(), candidates.stream())
                .distinct()
                .toList();
        List<Seat> members = Choice.of(chosenFrom, current.addresses(), microBatches);
        List<DataAddress> addresses = addresses(members);
        if (next.isEmpty()) {
            since = now;
        }
        if (next.isEmpty() || !next.get().generation().members().equals(addresses)) {
            Generation generation = new Generation(numbers.next(known), addresses, microBatches);
            next = Optional.of(new Places(generation, generation.fingerprint(), Optional.of(current)));
        }
        Places expected = next.get();
        long number = expected.generation().number();
        boolean all = true;
        for (int rank = 0; rank < members.size(); rank++) {
            Seat seat = members.get(rank);
            if (seat.expected() != number) {
                all = false;
                if (seat.mayBeTold(new Told(number), now)) {
                    orders.add(expected.expect(seat, rank));
                }
            }
        }
        return all || now - since >= PATIENCE_MILLIS;
    }

    /** The generation that these expect and are connected in, if it is one with a number above that. */
    Optional<Generation> of(List<Seat> members, long known) {
        return next.map(Places::generation)
                .filter(generation -> generation.number() > known)
                .filter(generation -> generation.members().equals(addresses(members)))
                .filter(generation -> members.stream().allMatch(seat -> seat.expected() == generation.number()));
    }

    private static List<DataAddress> addresses(List<Seat> members) {
        return members.stream().map(seat -> seat.address).toList();
    }

    /** Another generation has begun, or nobody joins any more. */
    void forget() {
        next = Optional.empty();
    }
}
