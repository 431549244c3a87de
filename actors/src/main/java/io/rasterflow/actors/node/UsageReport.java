package io.rasterflow.actors.node;

import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says every few seconds what the node takes of processor and memory, on a thread that may wait for a GPU's driver. */
public final class UsageReport {

    private static final Logger LOG = LoggerFactory.getLogger(UsageReport.class);
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final String node;
    private final Supplier<List<Engines.GpuMemory>> gpus;
    private final Telemetry telemetry;
    private final Executor executor;
    private final ProcessUsage process = new ProcessUsage();
    private final AtomicBoolean asking = new AtomicBoolean();
    private long last = System.nanoTime() - INTERVAL_NANOS;

    /** @param gpus the memory of those that the node computes on */
    public UsageReport(String node, Supplier<List<Engines.GpuMemory>> gpus, Telemetry telemetry, Executor executor) {
        this.node = node;
        this.gpus = gpus;
        this.telemetry = telemetry;
        this.executor = executor;
    }

    /** Called often; returns at once. */
    public void heartbeat() {
        long now = System.nanoTime();
        if (now - last >= INTERVAL_NANOS && asking.compareAndSet(false, true)) {
            last = now;
            executor.execute(this::report);
        }
    }

    private void report() {
        try {
            telemetry.record(process.event(node, gpus()));
        } finally {
            asking.set(false);
        }
    }

    private List<Event.Usage.Gpu> gpus() {
        try {
            return gpus.get().stream()
                    .map(gpu -> new Event.Usage.Gpu(gpu.device(), gpu.usedBytes(), gpu.totalBytes()))
                    .toList();
        } catch (RuntimeException e) {
            LOG.debug("cannot tell the memory of the GPUs", e);
            return List.of();
        }
    }
}
