package io.rasterflow.monitoring.science;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What runs that are looked at together tell, as far as they do.
 *
 * @param runs that have a loss
 * @param correlations of final loss and accuracy over the runs, by kind of probe; none where their losses do not compare
 * @param scaling the laws; empty where there are none
 * @param missing why there are none, in one line
 * @param leftOut why other runs are not among these, a line each
 */
public record RunsFinding(
        List<RunPoint> runs,
        Map<String, Correlation> correlations,
        Optional<ScalingAnalysis> scaling,
        String missing,
        List<String> leftOut) {

    public static RunsFinding of(List<RunPoint> runs, List<String> leftOut) {
        try {
            ScalingAnalysis analysis = ScalingAnalysis.of(runs);
            return new RunsFinding(analysis.runs(), analysis.correlations(), Optional.of(analysis), "", leftOut);
        } catch (IllegalArgumentException e) {
            Map<String, Correlation> few =
                    runs.size() < ScalingAnalysis.MINIMUM ? ScalingAnalysis.correlations(runs) : Map.of();
            return new RunsFinding(List.copyOf(runs), few, Optional.empty(), e.getMessage(), leftOut);
        }
    }

    /** Why nothing is said of loss and accuracy, in one line; empty where there is a correlation, known or not. */
    public String uncorrelated() {
        if (!correlations.isEmpty()) {
            return "";
        }
        return scaling.isPresent() || runs.size() < ScalingAnalysis.MINIMUM
                ? "no run has a probe of its last validated weights"
                : missing;
    }

    /** What a reader should know of the runs, a line each. */
    public List<String> notes() {
        return Stream.concat(
                        scaling.map(ScalingAnalysis::notes).orElse(List.of()).stream(),
                        leftOut.stream().map(why -> "left out: " + why))
                .toList();
    }
}
