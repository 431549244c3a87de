package io.rasterflow.streams.metrics;

import java.util.concurrent.atomic.LongAdder;

/** Counts what one stage of the pipeline does. Safe for use by many threads. */
public final class StageMetrics {

    private final String name;
    private final LongAdder items = new LongAdder();
    private final LongAdder bytes = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    private final LongAdder depth = new LongAdder();

    StageMetrics(String name) {
        this.name = name;
    }

    /**
     * The stage at one moment.
     *
     * @param name of the stage
     * @param items that have passed through it; samples, or batches in the stage {@code ready}
     * @param bytes of those items when they left it
     * @param seconds that they spent in it together; divided by {@code items} the latency
     * @param depth items that are in it now
     */
    public record Snapshot(String name, long items, long bytes, double seconds, long depth) {}

    /** An item comes in. */
    public void enter() {
        depth.increment();
    }

    /** An item leaves without having passed. */
    public void abandon() {
        depth.decrement();
    }

    /** An item leaves. */
    public void leave(long itemBytes, long itemNanos) {
        depth.decrement();
        items.increment();
        bytes.add(itemBytes);
        nanos.add(itemNanos);
    }

    public Snapshot snapshot() {
        return new Snapshot(name, items.sum(), bytes.sum(), nanos.sum() * 1e-9, depth.sum());
    }
}
