package io.rasterflow.tests.simulation;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * One process of a node: it runs what comes to it while it is alive, and keeps it for later while it hangs. A process that
 * has died does not come back; its node starts another.
 */
final class Machine {

    final String node;
    /** Of its node. */
    final int number;

    final String id;
    /** The older, the lower: stands for its address in the cluster as well. */
    final int age;

    final List<SimulatedTrainer> trainers = new ArrayList<>();
    private final Scheduler scheduler;
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private boolean alive = true;
    private boolean hanging;
    private int hangs;

    Machine(Scheduler scheduler, int number, int age) {
        this.scheduler = scheduler;
        this.number = number;
        this.node = "node" + number;
        this.age = age;
        this.id = node + "#" + age;
    }

    void run(Runnable action) {
        if (hanging) {
            waiting.add(action);
        } else if (alive) {
            action.run();
        }
    }

    void after(double millis, Runnable action) {
        if (alive) {
            scheduler.after(millis, () -> run(action));
        }
    }

    boolean alive() {
        return alive;
    }

    boolean hanging() {
        return hanging;
    }

    boolean well() {
        return alive && !hanging;
    }

    /** Which of its hangs this is. */
    int hangs() {
        return hangs;
    }

    void hang() {
        hanging = true;
        hangs++;
    }

    void wake() {
        hanging = false;
        while (!waiting.isEmpty() && !hanging) {
            run(waiting.remove());
        }
    }

    /** What waits is lost. */
    void die() {
        alive = false;
        hanging = false;
        waiting.clear();
    }

    @Override
    public String toString() {
        return id;
    }
}
