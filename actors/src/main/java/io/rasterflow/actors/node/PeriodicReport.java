package io.rasterflow.actors.node;

import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;

/** What a node says of itself every so often, on a thread that whatever is asked may keep: one report at a time. */
abstract class PeriodicReport {

    private final long intervalNanos;
    private final Executor executor;
    private final AtomicBoolean asking = new AtomicBoolean();
    private long last;

    /** @param executor whose threads may wait */
    PeriodicReport(Duration interval, Executor executor) {
        this.intervalNanos = interval.toNanos();
        this.executor = executor;
        this.last = System.nanoTime() - intervalNanos;
    }

    /** Called often; returns at once. */
    public final void heartbeat() {
        long now = System.nanoTime();
        if (now - last >= intervalNanos && asking.compareAndSet(false, true)) {
            last = now;
            executor.execute(() -> {
                try {
                    report();
                } finally {
                    asking.set(false);
                }
            });
        }
    }

    abstract void report();
}
