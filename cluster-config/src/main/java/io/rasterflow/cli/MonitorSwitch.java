package io.rasterflow.cli;

import io.rasterflow.actors.bench.WarmUp;
import io.rasterflow.monitoring.event.Event;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/**
 * Turns what a run reports on and off, a block of steps each, and times the blocks. One pair of blocks after the other, every
 * second pair the other way round, so that what changes slowly on a machine touches both alike:
 *
 * <pre>
 *   on off | off on | on off | ...        a pair between two bars
 * </pre>
 *
 * <p>Steps at the start of a block are not timed: the page may still send what the block before has brought about. All events
 * pass here before they are reported, on the thread of whoever reports them.
 */
final class MonitorSwitch implements Predicate<Event> {

    /** Longer than the page waits between two updates. */
    private static final long LEAD_NANOS = 600_000_000;

    /** So many standard deviations on both sides of a normal distribution's mean hold 95 % of it. */
    private static final double DEVIATIONS = 1.96;

    private final int pairs;
    private final long blockNanos;
    private final double[] on;
    private final double[] off;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CompletableFuture<Void> done = new CompletableFuture<>();

    /** From when the run is left to itself; what reports is compiled by then as well. */
    private WarmUp warmUp;

    private boolean measuring;
    private boolean wanted = true;
    private int block;
    private long lead;
    /** 0 while the block is not timed yet. */
    private long begun;

    private int steps;
    private long timedOn;
    private long reported;

    /**
     * @param pairs of blocks
     * @param seconds that a block is timed for at least; it ends with a step
     */
    MonitorSwitch(int pairs, double seconds) {
        this.pairs = pairs;
        this.blockNanos = (long) (seconds * 1e9);
        this.on = new double[pairs];
        this.off = new double[pairs];
    }

    @Override
    public synchronized boolean test(Event event) {
        if (event instanceof Event.Probe) {
            ready.complete(null); // Of the untrained weights: beside the steps nothing is computed any more.
        }
        boolean report = wanted;
        if (measuring) {
            reported += report && begun != 0 ? 1 : 0;
            if (event instanceof Event.Step step && step.rank() == 0) {
                onStep(System.nanoTime());
            }
        }
        return report;
    }

    private void onStep(long now) {
        if (!warmUp.settled()) {
            turn(now);
            return;
        }
        if (begun == 0) {
            begun = now > lead ? now : 0;
            return;
        }
        steps++;
        if (now - begun < blockNanos) {
            return;
        }
        (wanted ? on : off)[block / 2] = (now - begun) * 1e-9 / steps;
        timedOn += wanted ? steps : 0;
        block++;
        measuring = block < 2 * pairs;
        wanted = !measuring || isOn(block);
        turn(now);
        if (!measuring) {
            done.complete(null);
        }
    }

    private void turn(long now) {
        lead = now + LEAD_NANOS;
        begun = 0;
        steps = 0;
    }

    private static boolean isOn(int block) {
        boolean first = block % 2 == 0;
        boolean turned = block / 2 % 2 == 1;
        return first != turned;
    }

    /** The run is over, which it should not be before it is measured. */
    void ended(String how) {
        IllegalStateException tooSoon =
                new IllegalStateException("the run ended before it was measured: " + how + "; try it with: train");
        ready.completeExceptionally(tooSoon);
        done.completeExceptionally(tooSoon);
    }

    /** Waits until the untrained weights have been evaluated and the compiler has little to do, then measures. */
    Cost measure() {
        ready.join();
        synchronized (this) {
            measuring = true;
            warmUp = new WarmUp();
            turn(System.nanoTime());
        }
        done.join();
        double[] shares = new double[pairs];
        for (int pair = 0; pair < pairs; pair++) {
            shares[pair] = on[pair] / off[pair] - 1;
        }
        Arrays.sort(shares);
        // Where the true median lies among sorted values follows from their number alone, whatever their distribution.
        int outside = (int) Math.max(0, Math.floor((pairs - DEVIATIONS * Math.sqrt(pairs)) / 2));
        return new Cost(
                median(shares),
                shares[outside],
                shares[pairs - 1 - outside],
                median(on),
                median(off),
                (double) reported / timedOn);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /**
     * What reporting costs.
     *
     * @param share of a step's time, in the median of the pairs
     * @param low lower end of its 95 % interval
     * @param high upper end
     * @param onSeconds of a step with it
     * @param offSeconds of a step without
     * @param events of a step
     */
    record Cost(double share, double low, double high, double onSeconds, double offSeconds, double events) {}
}
