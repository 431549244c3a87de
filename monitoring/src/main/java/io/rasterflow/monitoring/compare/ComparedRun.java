package io.rasterflow.monitoring.compare;

import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.List;
import java.util.Map;

/**
 * A run as others are compared with it.
 *
 * @param label that tells it from the others: its directory, as it was given
 * @param state see {@link io.rasterflow.monitoring.monitor.RunStatus}
 * @param globalBatch images per step
 * @param curves by name, thinned as those of the watched run: {@code loss}, {@code validation}, {@code seconds}
 * @param probes by step
 * @param trouble why its journals cannot be read, or that they are still being read; empty when neither
 */
public record ComparedRun(
        String label,
        String state,
        int globalBatch,
        Map<String, Tail> curves,
        List<ProbePoint> probes,
        String trouble) {}
