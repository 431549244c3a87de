package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Where a node's actors report what happens: the node's journal first, the monitor of the run second, so nothing that was
 * seen on the page is missing from the journal of a run that crashed. Thread-safe; never throws and never waits.
 *
 * @param wanted whether an event is reported at all: all are, unless what reporting costs is measured
 */
public record Telemetry(Journal journal, ActorRef<MonitorActor.Command> monitor, Predicate<Event> wanted) {

    public Telemetry(Journal journal, ActorRef<MonitorActor.Command> monitor) {
        this(journal, monitor, event -> true);
    }

    public void record(Event event) {
        if (!wanted.test(event)) {
            return;
        }
        journal.append(event);
        // The ledger of samples is for the audit, which reads journals; at one message per micro-batch it would be most
        // of
        // the monitor's traffic.
        if (!(event instanceof Event.Lease) && !(event instanceof Event.Commit)) {
            monitor.tell(new MonitorActor.Record(event));
        }
    }
}
