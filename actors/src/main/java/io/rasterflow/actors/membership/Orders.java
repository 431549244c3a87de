package io.rasterflow.actors.membership;

import java.util.ArrayList;
import java.util.List;

/** What is to be done, until it is taken: an order that shows no effect is said again, what is waited for is said once. */
final class Orders {

    private final List<Order> list = new ArrayList<>();
    private String waitingFor = "";

    void add(Order order) {
        list.add(order);
    }

    /** Unless it was told just now. */
    void tell(Seat seat, Order.ToTrainer order, long now) {
        if (seat.mayBeTold(order, now)) {
            list.add(order);
        }
    }

    void await(String reason) {
        if (!reason.equals(waitingFor)) {
            waitingFor = reason;
            list.add(new Order.Wait(reason));
        }
    }

    /** Nothing is waited for any more. */
    void goOn() {
        waitingFor = "";
    }

    List<Order> take() {
        List<Order> taken = List.copyOf(list);
        list.clear();
        return taken;
    }
}
