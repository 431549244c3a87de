package io.rasterflow.actors.node;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says twice a minute how much room the disk of the run directory has, on a thread that a hanging disk may keep. */
final class DiskReport extends PeriodicReport {

    private static final Logger LOG = LoggerFactory.getLogger(DiskReport.class);
    private static final Duration INTERVAL = Duration.ofSeconds(30);

    private final String node;
    private final Path directory;
    private final Telemetry telemetry;

    DiskReport(String node, Path directory, Telemetry telemetry, Executor executor) {
        super(INTERVAL, executor);
        this.node = node;
        this.directory = directory;
        this.telemetry = telemetry;
    }

    @Override
    void report() {
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
        }
    }
}
