package io.rasterflow.actors.membership;

import java.util.Set;

/**
 * Trainers that are not heard: they are looked after by others, and what may be decided without them depends on who is. When
 * the coordinator's own process has stood still, what has piled up meanwhile seems to be heard now, so nothing is decided
 * before it is worked off and all have spoken again: another may long since have taken over.
 */
final class Silence {

    private static final long CONFIRM_MILLIS = 1_000;
    private static final long RECENT_MILLIS = 2 * Pace.ANNOUNCE_MILLIS;
    /** Ticks and announcements leave no such gap unless the process stands still. */
    private static final long STANDSTILL_MILLIS = 2_000;

    private final Seats seats;
    private final Electorate electorate;
    private final long patienceMillis;
    private final Orders orders;
    private long lastLook = Long.MIN_VALUE;
    private long woke = Long.MIN_VALUE;

    /** @param patienceMillis as {@link Rules#silenceMillis} */
    Silence(Seats seats, Electorate electorate, long patienceMillis, Orders orders) {
        this.seats = seats;
        this.electorate = electorate;
        this.patienceMillis = patienceMillis;
        this.orders = orders;
    }

    /** With each event, before anything follows from it. */
    void lookAtTheClock(long now) {
        if (lastLook != Long.MIN_VALUE && now - lastLook > STANDSTILL_MILLIS) {
            woke = now;
        }
        lastLook = now;
    }

    void lookAfterTheSilent(long now) {
        for (Seat seat : seats.all()) {
            if (!seat.silent && lasts(seat, now) && now - seat.asked > CONFIRM_MILLIS) {
                seat.asked = now;
                seats.witness(seat, now - patienceMillis)
                        .ifPresent(witness -> orders.add(new Order.Confirm(witness.address, seat.address)));
            }
        }
    }

    /** Whether that trainer has not been heard for long. */
    boolean lasts(Seat seat, long now) {
        return now - seat.heard > patienceMillis;
    }

    /** Whether too few have been heard for so long that this must be taken for the smaller side of a partition. */
    boolean isolates(long now, long begun) {
        long since = now - 2 * patienceMillis;
        return since > begun && since > woke && !electorate.mayGoOn(seats.heardSince(since), seats.gone());
    }

    /** Whether so many are heard that nobody else can go on with the run. */
    boolean mayDecide(long now) {
        boolean awake = woke == Long.MIN_VALUE || now - woke > 2 * RECENT_MILLIS;
        return awake && electorate.mayGoOn(heardLately(now), seats.gone());
    }

    /** Who was heard since the last trainer fell silent: who is beyond a cut with it was not. */
    private Set<String> heardLately(long now) {
        long recent = now - RECENT_MILLIS;
        return seats.heardSince(Math.max(seats.lastSilence().orElse(recent), recent));
    }
}
