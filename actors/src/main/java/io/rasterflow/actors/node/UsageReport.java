package io.rasterflow.actors.node;

import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says every few seconds what the node takes of processor and memory, on a thread that may wait for a GPU's driver. */
public final class UsageReport extends PeriodicReport {

    private static final Logger LOG = LoggerFactory.getLogger(UsageReport.class);
    private static final Duration INTERVAL = Duration.ofSeconds(5);

    private final String node;
    private final Supplier<List<Engines.GpuMemory>> gpus;
    private final Telemetry telemetry;
    private final ProcessUsage process = new ProcessUsage();

    /** @param gpus the memory of those that the node computes on */
    public UsageReport(String node, Supplier<List<Engines.GpuMemory>> gpus, Telemetry telemetry, Executor executor) {
        super(INTERVAL, executor);
        this.node = node;
        this.gpus = gpus;
        this.telemetry = telemetry;
    }

    @Override
    void report() {
        telemetry.record(process.event(node, gpus()));
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
