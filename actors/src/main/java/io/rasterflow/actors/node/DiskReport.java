package io.rasterflow.actors.node;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says twice a minute how much room the disk of the run directory has, on a thread that a hanging disk may keep. */
final class DiskReport {

    private static final Logger LOG = LoggerFactory.getLogger(DiskReport.class);
    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final String node;
    private final Path directory;
    private final Telemetry telemetry;
    private final Executor executor;
    private final AtomicBoolean asking = new AtomicBoolean();
    private long last = System.nanoTime() - INTERVAL_NANOS;

    DiskReport(String node, Path directory, Telemetry telemetry, Executor executor) {
        this.node = node;
        this.directory = directory;
        this.telemetry = telemetry;
        this.executor = executor;
    }

    /** Called often; returns at once. */
    void heartbeat() {
        long now = System.nanoTime();
        if (now - last >= INTERVAL_NANOS && asking.compareAndSet(false, true)) {
            last = now;
            executor.execute(this::report);
        }
    }

    private void report() {
        try {
            FileStore disk = Files.getFileStore(directory);
            telemetry.record(new Event.Disk(
                    System.currentTimeMillis(),
                    node,
                    directory.toString(),
                    disk.getUsableSpace(),
                    disk.getTotalSpace()));
        } catch (IOException e) {
            LOG.debug("cannot tell the room on the disk of {}", directory, e);
        } finally {
            asking.set(false);
        }
    }
}
