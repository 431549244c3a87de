package io.rasterflow.actors.membership;

import java.util.Optional;

/** What a coordinator does not know of generations that another has formed, and how it learns of them. */
final class TakeOver {

    /**
     * So long a coordinator that takes over waits for somebody who knows the last generation: if all of its ranks are
     * beyond a cut, the cluster has given them up by then.
     */
    private static final long TAKE_OVER_MILLIS = 10_000;
    /** Questions after which it is said that nobody answers. */
    private static final int UNANSWERED = 3;

    private final Seats seats;
    private final Orders orders;
    private final long inherited;
    private final Repetition question = new Repetition();
    /** The highest number of a generation that a trainer has named. */
    private long named;

    private long begunAt = Long.MIN_VALUE;

    /** @param inherited as {@link GenerationNumbers#highest} */
    TakeOver(Seats seats, Orders orders, long inherited) {
        this.seats = seats;
        this.orders = orders;
        this.inherited = inherited;
    }

    /** The coordinator has begun, if it had not before. */
    void begin(long now) {
        begunAt = begunAt == Long.MIN_VALUE ? now : begunAt;
    }

    long begunAt() {
        return begunAt;
    }

    /** A trainer is or was in that generation. */
    void heardOf(long generation) {
        named = Math.max(named, generation);
    }

    long named() {
        return named;
    }

    long inherited() {
        return inherited;
    }

    /**
     * Whether somebody is in a generation whose members are not known: nothing is decided before they are.
     *
     * @param known number of the last generation whose members are known
     */
    boolean learns(long known, long now) {
        if (named <= known) {
            return false;
        }
        Optional<Seat> newest = seats.newerThan(known);
        named = newest.map(Seat::generation).orElse(known);
        newest.filter(seat -> question.due(named, now)).ifPresent(seat -> {
            orders.add(new Order.Describe(seat.address));
            if (question.times() > UNANSWERED) {
                orders.await("waiting for " + seat.node() + " to say who is in generation " + named);
            }
        });
        return newest.isPresent();
    }

    /** Whether there may be a generation that goes on and that nobody has told of yet. */
    boolean isUnderWay(long known, long now) {
        return known < inherited && now - begunAt < TAKE_OVER_MILLIS;
    }
}
