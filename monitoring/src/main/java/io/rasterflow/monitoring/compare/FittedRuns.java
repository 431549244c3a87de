package io.rasterflow.monitoring.compare;

import io.rasterflow.monitoring.compare.Comparison.Findings;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.RunsFinding;
import java.util.List;

/** What runs tell together: found anew only when one of them has new validated weights, for the fits take a while. Thread-safe. */
final class FittedRuns {

    private List<RunPoint> runs = List.of();
    private List<String> leftOut = List.of();
    private AcrossRuns found = AcrossRuns.of(RunsFinding.of(runs, leftOut));
    private long version = 1;

    /** @param known version that the asker has; 0 for none */
    synchronized Findings of(List<RunPoint> nowRuns, List<String> nowLeftOut, long known) {
        if (!runs.equals(nowRuns) || !leftOut.equals(nowLeftOut)) {
            runs = nowRuns;
            leftOut = nowLeftOut;
            found = AcrossRuns.of(RunsFinding.of(runs, leftOut));
            version++;
        }
        return new Findings(version, version == known ? null : found);
    }
}
