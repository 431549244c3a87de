package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import java.util.ArrayList;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Where a node's actors report what happens: the node's journal first, the monitor of the run second, so nothing that was
 * seen on the page is missing from the journal of a run that crashed. The monitor hears of steps with what comes next, or a
 * quarter of a second later, of everything else at once, in the order in which it was reported: to wake it for every step
 * costs more than what it does then, and nobody looks that often. Thread-safe; never throws and never waits.
 */
public final class Telemetry {

    private static final long PAUSE_MILLIS = 250;
    private static final Timer TIMER = new Timer("telemetry", true);

    private final Journal journal;
    private final ActorRef<MonitorActor.Command> monitor;
    private final Reporting reporting;
    private final List<Event> untold = new ArrayList<>();
    /** Whether the timer will flush what is untold then. */
    private boolean timed;

    public Telemetry(Journal journal, ActorRef<MonitorActor.Command> monitor) {
        this(journal, monitor, Reporting.ALL);
    }

    /** @param reporting decides over every event first */
    public Telemetry(Journal journal, ActorRef<MonitorActor.Command> monitor, Reporting reporting) {
        this.journal = journal;
        this.monitor = monitor;
        this.reporting = reporting;
    }

    /** The node's journal. */
    public Journal journal() {
        return journal;
    }

    public void record(Event event) {
        reporting.pass(event, () -> report(event));
    }

    private void report(Event event) {
        journal.append(event);
        // The ledger of samples is for the audit, which reads journals; at one message per micro-batch it would be most
        // of the monitor's traffic.
        if (!(event instanceof Event.Lease) && !(event instanceof Event.Commit)) {
            tell(event);
        }
    }

    private void tell(Event event) {
        synchronized (untold) {
            untold.add(event);
            if (!(event instanceof Event.Step)) {
                flush();
            } else if (!timed) {
                timed = true;
                TIMER.schedule(
                        new TimerTask() {
                            @Override
                            public void run() {
                                onTime();
                            }
                        },
                        PAUSE_MILLIS);
            }
        }
    }

    private void onTime() {
        synchronized (untold) {
            timed = false;
            flush();
        }
    }

    /** Tells the monitor now of the steps that it has not heard of, lest it hear first of what comes of them. */
    public void flush() {
        synchronized (untold) {
            untold.forEach(event -> monitor.tell(new MonitorActor.Record(event)));
            untold.clear();
        }
    }
}
