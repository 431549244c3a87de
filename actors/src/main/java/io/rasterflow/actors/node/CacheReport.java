package io.rasterflow.actors.node;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.shard.CacheUsage;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says every few seconds what the cache of the training images' shards holds, on a thread that a large folder may keep. */
final class CacheReport extends PeriodicReport {

    private static final Logger LOG = LoggerFactory.getLogger(CacheReport.class);
    private static final Duration INTERVAL = Duration.ofSeconds(5);

    private final String node;
    private final DataSet images;
    private final Telemetry telemetry;

    CacheReport(String node, DataSet images, Telemetry telemetry, Executor executor) {
        super(INTERVAL, executor);
        this.node = node;
        this.images = images;
        this.telemetry = telemetry;
    }

    @Override
    void report() {
        try {
            CacheUsage cache = images.cache();
            telemetry.record(new Event.Cache(
                    System.currentTimeMillis(),
                    node,
                    cache.config().directory(),
                    cache.heldBytes(),
                    cache.config().bytes(),
                    cache.shards(),
                    cache.hits(),
                    cache.misses(),
                    cache.evictions(),
                    cache.filling(),
                    cache.fetched().bytes(),
                    cache.fetched().retries()));
        } catch (IOException e) {
            LOG.debug("cannot tell what is in the cache", e);
        }
    }
}
