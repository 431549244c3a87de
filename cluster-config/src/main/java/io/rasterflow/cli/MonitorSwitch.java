package io.rasterflow.cli;

import io.rasterflow.actors.bench.WarmUp;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Reporting;
import io.rasterflow.monitoring.science.Interval;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.DoubleConsumer;

/**
 * Turns what a run reports on and off, a block of steps each, and measures the blocks: how long a step takes, and what
 * processor time the ranks take to report and the threads that do not train. One pair of blocks after the other,
 * every second pair the other way round, so that what changes slowly on a machine touches both alike:
 *
 * <pre>
 *   on off | off on | on off | ...        a pair between two bars
 * </pre>
 *
 * <p>Steps at the start of a block are not timed: the page may still send what the block before has brought about. All events
 * pass here before they are reported, on the thread of whoever reports them.
 */
final class MonitorSwitch implements Reporting {

    /** Longer than the page waits between two updates. */
    private static final long LEAD_NANOS = 600_000_000;

    /** So many standard deviations on both sides of a normal distribution's mean hold 95 % of it. */
    private static final double DEVIATIONS = 1.96;

    private final int pairs;
    private final long blockNanos;
    private final Blocks on;
    private final Blocks off;
    private final CompletableFuture<Void> ready = new CompletableFuture<>();
    private final CompletableFuture<Void> done = new CompletableFuture<>();
    private final OtherThreads others = new OtherThreads();
    /** Ids of the threads of the ranks. */
    private final Set<Long> training = new HashSet<>();
    /** By thread of a rank: processor time of its reports in this block, in nanoseconds. */
    private final Map<Long, Long> ofReports = new HashMap<>();

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    /** From when the run is left to itself; what reports is compiled by then as well. */
    private WarmUp warmUp;

    /** Run once when the run is warm. */
    private Runnable warm;

    private final long warmUpNanos;
    private long warmUpBegun;

    private boolean measuring;
    private boolean wanted = true;
    private int block;
    private long lead;
    /** 0 while the block is not timed yet. */
    private long begun;

    private int steps;
    private long timedOn;
    private long reported;

    /** Seconds of a step in the blocks of one kind: its time, and processor time of reports and of other threads. */
    private record Blocks(double[] step, double[] reports, double[] others) {
        Blocks(int pairs) {
            this(new double[pairs], new double[pairs], new double[pairs]);
        }
    }

    /**
     * @param pairs of blocks, 2 or more
     * @param seconds that a block is timed for at least; it ends with a step
     * @param warmUp seconds that are waited at most until the compiler is quiet
     */
    MonitorSwitch(int pairs, double seconds, double warmUp) {
        this.pairs = pairs;
        this.warmUpNanos = (long) (warmUp * 1e9);
        this.blockNanos = (long) (seconds * 1e9);
        this.on = new Blocks(pairs);
        this.off = new Blocks(pairs);
    }

    @Override
    public void pass(Event event, Runnable report) {
        if (!isReported(event)) {
            return;
        }
        long begin = threads.getCurrentThreadCpuTime();
        report.run();
        took(threads.getCurrentThreadCpuTime() - begin);
    }

    private synchronized boolean isReported(Event event) {
        if (event instanceof Event.Probe) {
            ready.complete(null); // Of the untrained weights: beside the steps nothing is computed any more.
        }
        boolean report = wanted;
        if (event instanceof Event.Step) {
            training.add(Thread.currentThread().getId());
        }
        if (measuring) {
            reported += report && begun != 0 ? 1 : 0;
            if (event instanceof Event.Step step && step.rank() == 0) {
                onStep(System.nanoTime());
            }
        }
        return report;
    }

    private synchronized void took(long nanos) {
        long thread = Thread.currentThread().getId();
        if (begun != 0 && training.contains(thread)) {
            ofReports.merge(thread, nanos, Long::sum);
        }
    }

    private void onStep(long now) {
        if (warm != null) {
            if (!warmUp.settled() && now - warmUpBegun < warmUpNanos) {
                turn(now);
                return;
            }
            warm.run();
            warm = null;
        }
        if (begun == 0) {
            if (now > lead) {
                ofReports.clear();
                others.begin(training);
                begun = System.nanoTime();
            }
            return;
        }
        steps++;
        if (now - begun < blockNanos) {
            return;
        }
        Blocks blocks = wanted ? on : off;
        blocks.step()[block / 2] = (now - begun) * 1e-9 / steps;
        blocks.reports()[block / 2] =
                ofReports.values().stream().mapToLong(Long::longValue).max().orElse(0) * 1e-9 / steps;
        blocks.others()[block / 2] = others.seconds(training) / steps;
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

    private synchronized double measured() {
        return block / (2.0 * pairs);
    }

    /** The run is over, which it should not be before it is measured. */
    void ended(String how) {
        IllegalStateException tooSoon =
                new IllegalStateException("the run ended before it was measured: " + how + "; try it with: train");
        ready.completeExceptionally(tooSoon);
        done.completeExceptionally(tooSoon);
    }

    /**
     * Waits until the untrained weights have been evaluated and the compiler has little to do, then measures.
     *
     * @param warmedUp run when the compiler has little to do, before anything is measured
     * @param progress hears what share of the blocks is measured, once a second
     */
    Cost measure(Runnable warmedUp, DoubleConsumer progress) throws InterruptedException {
        ready.join();
        synchronized (this) {
            measuring = true;
            warm = warmedUp;
            warmUp = new WarmUp();
            warmUpBegun = System.nanoTime();
            turn(System.nanoTime());
        }
        while (!isDone()) {
            progress.accept(measured());
        }
        done.join();
        return cost();
    }

    private boolean isDone() throws InterruptedException {
        try {
            done.get(1, TimeUnit.SECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return true; // join() throws it.
        }
    }

    private synchronized Cost cost() {
        double step = median(off.step());
        double[] shares = new double[pairs];
        double[] ratios = new double[pairs];
        for (int pair = 0; pair < pairs; pair++) {
            shares[pair] = (on.reports()[pair] + on.others()[pair] - off.others()[pair]) / step;
            ratios[pair] = on.step()[pair] / off.step()[pair] - 1;
        }
        Arrays.sort(ratios);
        // Where the true median lies among sorted values follows from their number alone, whatever their distribution.
        int outside = (int) Math.max(0, Math.floor((pairs - DEVIATIONS * Math.sqrt(pairs)) / 2));
        return new Cost(
                mean(shares),
                Interval.ofMean(shares),
                mean(on.reports()),
                mean(on.others()) - mean(off.others()),
                median(ratios),
                new Interval(ratios[outside], ratios[pairs - 1 - outside]),
                median(on.step()),
                step,
                (double) reported / timedOn);
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /**
     * What reporting costs a step. Times are seconds of a step.
     *
     * @param share of a step's time, mean of the pairs: processor time that reports take of the rank of which they take most,
     *     and that other threads take beyond what they take without reports, as if training stood still meanwhile
     * @param interval of it, 95 %
     * @param reportSeconds the first of the two
     * @param otherSeconds the second
     * @param ratio by how much longer steps take with reports than without, in the median of the pairs; as noisy as the
     *     machine
     * @param ratioInterval of it, 95 %
     * @param onSeconds a step with reports
     * @param offSeconds a step without
     * @param events of a step
     */
    record Cost(
            double share,
            Interval interval,
            double reportSeconds,
            double otherSeconds,
            double ratio,
            Interval ratioInterval,
            double onSeconds,
            double offSeconds,
            double events) {}
}
