package io.rasterflow.actors.node;

import io.rasterflow.actors.run.Experiments;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.Precision;
import io.rasterflow.monitoring.alarm.Alarms;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Past;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the monitor begins with on this node: what the journals say that can be read here, which are all of the run where nodes
 * share its directory, and this node's alone otherwise.
 */
public final class MonitorPast {

    private static final Logger LOG = LoggerFactory.getLogger(MonitorPast.class);

    private MonitorPast() {}

    /**
     * @param inherits whether another node has begun the run
     * @param node that the monitor runs on
     * @param journal see {@link MonitorActor.Watch}
     */
    public static Past of(RunPlan plan, boolean inherits, String node, Consumer<Event.Alarm> journal) {
        if (!inherits && !plan.resume()) {
            return Past.none(new MonitorActor.Watch(new Alarms(plan.alarms(), node), journal));
        }
        Path directory = Path.of(plan.directory());
        Past past;
        try {
            past = Past.of(directory, new Alarms(plan.alarms(), node), journal);
        } catch (IOException | RuntimeException e) {
            LOG.warn("the journals of {} cannot be read, so the page begins empty: {}", directory, e.toString());
            past = Past.none(new MonitorActor.Watch(new Alarms(plan.alarms(), node), journal));
        }
        if (inherits && !past.whole()) {
            Event.RunStarted begun = begun(plan, node);
            past.watch().orElseThrow().alarms().replay(begun);
            past.state()
                    .begunElsewhere(
                            begun,
                            "node " + node + " has taken over the monitor and cannot read the journals of all nodes"
                                    + " below " + directory
                                    + ": what came before is missing here, and cost and averages"
                                    + " begin with it");
        }
        return past;
    }

    /** What the plan says of the run's beginning; the rest is unknown here. */
    private static Event.RunStarted begun(RunPlan plan, String node) {
        return new Event.RunStarted(
                System.currentTimeMillis(),
                node,
                plan.name(),
                0,
                plan.train().steps(),
                plan.train().batch(),
                0,
                0,
                plan.worldSize(),
                plan.train().precision() == Precision.AUTO
                        ? ""
                        : plan.train().precision().name().toLowerCase(Locale.ROOT),
                plan.origin(),
                Experiments.of(plan),
                plan.rankHourPrice(),
                Experiments.learningRates(plan));
    }
}
