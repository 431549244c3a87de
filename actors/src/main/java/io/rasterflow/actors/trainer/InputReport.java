package io.rasterflow.actors.trainer;

import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.shard.DataSource;
import io.rasterflow.streams.shard.Samples;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Reports a node's input pipeline every few seconds, whichever of its ranks comes by. Safe for use by many threads. */
public final class InputReport {

    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final String node;
    private final RunPlan plan;
    private final Samples images;
    private final Order order;
    private final Telemetry telemetry;
    private final AtomicLong last = new AtomicLong(System.nanoTime() - INTERVAL_NANOS);

    public InputReport(String node, RunPlan plan, Samples images, Telemetry telemetry) {
        this.node = node;
        this.plan = plan;
        this.images = images;
        this.order = images.order(plan.train().seed(), plan.data().stream().windowShards());
        this.telemetry = telemetry;
    }

    /** Says that a run goes on at a step at the earliest. */
    void needFrom(long step) throws IOException {
        images.needFrom(Math.multiplyExact(step, plan.train().batch()), order);
    }

    /** @param steps done so far */
    void report(long steps) {
        long now = System.nanoTime();
        long before = last.get();
        boolean end = steps == plan.train().steps();
        if ((now - before < INTERVAL_NANOS && !end) || !last.compareAndSet(before, now)) {
            return;
        }
        telemetry.record(new Event.Input(
                System.currentTimeMillis(),
                node,
                images.metrics().snapshot().stream()
                        .map(s -> new Event.Input.Stage(s.name(), s.items(), s.bytes(), s.seconds(), s.depth()))
                        .toList(),
                sources(Math.multiplyExact(steps, plan.train().batch()))));
    }

    private List<Event.Input.Source> sources(long positions) {
        List<Event.Input.Source> sources = new ArrayList<>();
        for (int i = 0; i < images.sources().size(); i++) {
            long taken = order.positionsOf(i, positions);
            DataSource source = images.sources().get(i);
            long size = images.sources().size() == 1 ? images.size() : source.samples();
            sources.add(new Event.Input.Source(source.name(), taken, (double) taken / size));
        }
        return sources;
    }
}
