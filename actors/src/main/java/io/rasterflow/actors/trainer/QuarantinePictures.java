package io.rasterflow.actors.trainer;

import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.decode.Thumbnail;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.shard.Samples;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Base64;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells what the quarantined samples of a node look like, where anything of them can be decoded: after the samples themselves,
 * one at a time, on a thread that may wait for a shard. Only of the first ones and one a minute after that, so that a data
 * set that is bad all over fills neither processor nor journal. Safe for use by many threads.
 */
public final class QuarantinePictures {

    private static final Logger LOG = LoggerFactory.getLogger(QuarantinePictures.class);

    /** Pictures that a node tells of without pause. */
    private static final int FIRST = 50;

    private static final long PAUSE_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final String node;
    private final Samples images;
    private final Order order;
    private final Telemetry telemetry;
    private final Executor io;
    private final long start = System.nanoTime();
    private final Deque<BadSample> waiting = new ArrayDeque<>();
    private boolean working;
    private long taken;

    /** @param io whose threads may wait */
    public QuarantinePictures(String node, RunPlan plan, Samples images, Telemetry telemetry, Executor io) {
        this.node = node;
        this.images = images;
        this.order = images.order(plan.train().seed(), plan.data().stream().windowShards());
        this.telemetry = telemetry;
        this.io = io;
    }

    /** Returns at once. */
    public void take(BadSample sample) {
        synchronized (waiting) {
            if (taken >= FIRST + (System.nanoTime() - start) / PAUSE_NANOS) {
                return;
            }
            taken++;
            waiting.add(sample);
            if (working) {
                return;
            }
            working = true;
        }
        io.execute(this::work);
    }

    private void work() {
        for (BadSample sample = next(); sample != null; sample = next()) {
            try {
                tell(sample);
            } catch (IOException | RuntimeException | OutOfMemoryError e) {
                LOG.debug("no picture of {} in {}", sample.key(), sample.shard(), e);
            }
        }
    }

    /** Null when there is no other. */
    private BadSample next() {
        synchronized (waiting) {
            working = !waiting.isEmpty();
            return waiting.poll();
        }
    }

    private void tell(BadSample sample) throws IOException {
        Thumbnail.png(images.read(order.at(sample.position())).bytes())
                .ifPresent(png -> telemetry.record(new Event.Thumbnail(
                        System.currentTimeMillis(),
                        node,
                        sample.shard(),
                        sample.key(),
                        Base64.getEncoder().encodeToString(png))));
    }
}
