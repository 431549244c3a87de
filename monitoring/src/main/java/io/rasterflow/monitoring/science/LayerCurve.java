package io.rasterflow.monitoring.science;

import io.rasterflow.monitoring.event.Event;
import java.util.List;

/**
 * What a kind of probe reached on each of several layers of the weights of a step.
 *
 * @param kind as that of a {@link ProbePoint}
 * @param set likewise
 */
public record LayerCurve(long step, String kind, String set, List<Event.Probe.Layer> layers) {

    static LayerCurve of(Event.Probe probe) {
        return new LayerCurve(probe.step(), probe.kind(), probe.set(), probe.layers());
    }

    /** What it can be compared with. */
    public ProbePoint.Series series() {
        return new ProbePoint.Series(kind, set);
    }
}
