package io.rasterflow.actors.plan;

import java.util.Arrays;

/**
 * Simulated time: actions run in the order of their times, those of one time in the order in which they were scheduled.
 * A binary heap over arrays, since a simulated step has millions of events.
 */
final class EventQueue {

    private double[] times = new double[1024];
    private long[] orders = new long[1024];
    private Runnable[] actions = new Runnable[1024];
    private int size;
    private long scheduled;
    private double now;

    /** Seconds since the beginning. */
    double now() {
        return now;
    }

    /** Actions that have been scheduled so far. */
    long scheduled() {
        return scheduled;
    }

    /**
     * Runs the action at that time.
     *
     * @throws IllegalArgumentException if the time is over or not a number
     */
    void at(double time, Runnable action) {
        if (!(time >= now)) {
            throw new IllegalArgumentException("an event at " + time + " s, but it is " + now + " s already");
        }
        if (size == times.length) {
            times = Arrays.copyOf(times, 2 * size);
            orders = Arrays.copyOf(orders, 2 * size);
            actions = Arrays.copyOf(actions, 2 * size);
        }
        long order = scheduled++;
        int hole = size++;
        while (hole > 0 && before(time, order, (hole - 1) / 2)) {
            move((hole - 1) / 2, hole);
            hole = (hole - 1) / 2;
        }
        put(hole, time, order, action);
    }

    /** Runs until nothing is scheduled any more. */
    void run() {
        while (size > 0) {
            now = times[0];
            Runnable action = actions[0];
            removeFirst();
            action.run();
        }
    }

    /** Forgets what is still scheduled, so that {@link #run} returns. */
    void stop() {
        Arrays.fill(actions, 0, size, null);
        size = 0;
    }

    private void removeFirst() {
        int last = --size;
        double time = times[last];
        long order = orders[last];
        Runnable action = actions[last];
        actions[last] = null;
        if (last == 0) {
            return;
        }
        int hole = 0;
        int child = smallerChild(hole);
        while (child < size && !before(time, order, child)) {
            move(child, hole);
            hole = child;
            child = smallerChild(hole);
        }
        put(hole, time, order, action);
    }

    private int smallerChild(int parent) {
        int left = 2 * parent + 1;
        int right = left + 1;
        return right < size && before(times[right], orders[right], left) ? right : left;
    }

    private boolean before(double time, long order, int index) {
        return time < times[index] || (time == times[index] && order < orders[index]);
    }

    private void move(int from, int to) {
        put(to, times[from], orders[from], actions[from]);
    }

    private void put(int index, double time, long order, Runnable action) {
        times[index] = time;
        orders[index] = order;
        actions[index] = action;
    }
}
