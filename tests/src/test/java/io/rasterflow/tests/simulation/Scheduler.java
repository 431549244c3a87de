package io.rasterflow.tests.simulation;

import java.util.PriorityQueue;
import java.util.SplittableRandom;

/** Virtual time and all chance: events run one at a time, in the order of their time, then in that of being planned. */
final class Scheduler {

    private record Event(long micros, long order, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(micros, other.micros);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final SplittableRandom random;
    private long micros;
    private long planned;

    Scheduler(long seed) {
        this.random = new SplittableRandom(seed);
    }

    /** Milliseconds since the beginning. */
    long now() {
        return micros / 1_000;
    }

    void after(double millis, Runnable action) {
        events.add(new Event(micros + (long) (millis * 1_000), planned++, action));
    }

    /** Runs the next event; there is always one, for coordinators and trainers have clocks. */
    void runOne() {
        Event event = events.remove();
        micros = event.micros;
        event.action.run();
    }

    boolean chance(double probability) {
        return probability > 0 && random.nextDouble() < probability;
    }

    double between(double low, double high) {
        return low + (high - low) * random.nextDouble();
    }

    /** In [0, bound). */
    int below(int bound) {
        return random.nextInt(bound);
    }

    /** In [low, high]. */
    int from(int low, int high) {
        return random.nextInt(low, high + 1);
    }
}
