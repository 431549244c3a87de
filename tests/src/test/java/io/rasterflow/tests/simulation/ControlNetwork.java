package io.rasterflow.tests.simulation;

import java.util.HashSet;
import java.util.Set;

/** Actor messages and the cut: messages are late, lost, repeated and overtake each other; none crosses a cut. */
final class ControlNetwork {

    private final Scheduler scheduler;
    private final Set<Machine> farSide = new HashSet<>();
    private boolean cut;
    private int cuts;

    private double loss;
    private double repetition;
    private double lateness;
    private int storms;

    /** Probabilities of a message to be lost, to come twice, to come late. */
    ControlNetwork(Scheduler scheduler, double loss, double repetition, double lateness) {
        this.scheduler = scheduler;
        this.loss = loss;
        this.repetition = repetition;
        this.lateness = lateness;
    }

    /** From now on each message comes once, and soon. */
    void calm() {
        loss = 0;
        repetition = 0;
        lateness = 0;
        storms = 0;
    }

    /** For a while, half of the messages are late and a third is lost or comes twice. */
    void storm(double millis) {
        storms++;
        scheduler.after(millis, () -> storms = Math.max(0, storms - 1));
    }

    void send(Machine from, Machine to, Runnable delivery) {
        if (from == to) {
            to.after(0.01, delivery);
            return;
        }
        boolean storm = storms > 0;
        int copies = scheduler.chance(storm ? 0.3 : loss) ? 0 : scheduler.chance(storm ? 0.3 : repetition) ? 2 : 1;
        for (int copy = 0; copy < copies; copy++) {
            boolean late = scheduler.chance(storm ? 0.5 : lateness);
            scheduler.after(late ? scheduler.between(50, 1_500) : scheduler.between(0.3, 4), () -> {
                if (reaches(from, to)) {
                    to.run(delivery);
                }
            });
        }
    }

    boolean reaches(Machine from, Machine to) {
        return !cut || farSide.contains(from) == farSide.contains(to);
    }

    void cut(Set<Machine> side) {
        cut = true;
        cuts++;
        farSide.clear();
        farSide.addAll(side);
    }

    void heal() {
        cut = false;
    }

    boolean isCut() {
        return cut;
    }

    /** Which cut this is. */
    int cuts() {
        return cuts;
    }
}
