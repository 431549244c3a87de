package io.rasterflow.actors.probe;

import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;

/** One result that is asked for: a kind of probe on the mean of some blocks. */
record Asked(ProbeConfig config, Blocks blocks) {

    boolean pooled() {
        return config.kind().pooled();
    }

    /** Whether the probe can be asked where it looks. */
    boolean looks() {
        return config.kind() == ProbeKind.ATTENTIVE;
    }
}
