package io.rasterflow.actors.membership;

/** Stops whoever still moves in a generation that is over. */
final class Halts {

    private final Seats seats;
    private final Orders orders;

    Halts(Seats seats, Orders orders) {
        this.seats = seats;
        this.orders = orders;
    }

    /** All ranks of that generation. */
    void all(Ranks ranks, long now) {
        ranks.present().stream()
                .filter(ranks::moves)
                .forEach(seat -> orders.tell(
                        seat, new Order.Halt(seat.address, Math.max(ranks.number(), seat.generation())), now));
    }

    /** Who is in an older generation than that one has missed that there is a newer one without it. */
    void stragglers(Ranks ranks, long now) {
        for (Seat seat : seats.all()) {
            if (!seat.silent
                    && seat.standing.isPresent()
                    && !seat.stopped()
                    && seat.generation() < ranks.number()
                    && !ranks.addresses().contains(seat.address)) {
                orders.tell(seat, new Order.Halt(seat.address, seat.generation()), now);
            }
        }
    }
}
