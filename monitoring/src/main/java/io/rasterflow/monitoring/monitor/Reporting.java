package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;

/** Through whose hands what a node reports goes, on the thread of whoever reports. */
@FunctionalInterface
public interface Reporting {

    /** Everything is reported, unless what reporting costs is measured. */
    Reporting ALL = (event, report) -> report.run();

    /** @param report journals the event and tells the monitor; what does not run it throws the event away */
    void pass(Event event, Runnable report);
}
