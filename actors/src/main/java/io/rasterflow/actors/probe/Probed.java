package io.rasterflow.actors.probe;

import io.rasterflow.model.probe.ProbeReport;
import io.rasterflow.model.probe.ProbeReports;
import io.rasterflow.monitoring.event.Event;

/**
 * What one kind of probe reached, and what that took.
 *
 * @param spent of several kinds on the same features, the first bears what these took
 */
public record Probed(ProbeReports reports, Spent spent) {

    /** As the journal tells it; for the other values see {@link Event.Probe}. */
    public Event.Probe event(
            long timeMillis,
            String node,
            long step,
            String kind,
            double validationLoss,
            String set,
            int sets,
            boolean beside) {
        ProbeReport chosen = reports.chosen();
        return new Event.Probe(
                timeMillis,
                node,
                step,
                kind,
                chosen.accuracy(),
                validationLoss,
                chosen.trainImages(),
                chosen.validationImages(),
                spent.seconds(),
                set,
                sets,
                beside,
                reports.layers().stream()
                        .map(report ->
                                new Event.Probe.Layer(report.blocks().toString(), report.accuracy(), report == chosen))
                        .toList(),
                spent.cpuSeconds());
    }
}
