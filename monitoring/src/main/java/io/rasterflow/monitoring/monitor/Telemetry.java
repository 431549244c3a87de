package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Where a node's actors report what happens: the node's journal first, the monitor of the run second, so nothing that was
 * seen on the page is missing from the journal of a run that crashed. Thread-safe; never throws and never waits.
 */
public record Telemetry(Journal journal, ActorRef<MonitorActor.Command> monitor) {

    public void record(Event event) {
        journal.append(event);
        // The ledger of samples is for the audit, which reads journals; at one message per micro-batch it would be most
        // of
        // the monitor's traffic.
        if (!(event instanceof Event.Lease) && !(event instanceof Event.Commit)) {
            monitor.tell(new MonitorActor.Record(event));
        }
    }
}
