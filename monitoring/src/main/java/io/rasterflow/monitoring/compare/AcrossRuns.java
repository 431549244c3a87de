package io.rasterflow.monitoring.compare;

import io.rasterflow.monitoring.plot.LawText;
import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.LawPlace;
import io.rasterflow.monitoring.science.Prediction;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.RunsFinding;
import io.rasterflow.monitoring.science.ScalingAnalysis;
import io.rasterflow.monitoring.science.ScalingSeries;
import java.util.List;
import java.util.Map;

/**
 * What the watched run and those beside it tell together, as a page shows it.
 *
 * @param runs by their last validated weights
 * @param correlations see {@link RunsFinding}
 * @param uncorrelated why there are none
 * @param laws by which their loss falls with size
 * @param missing why there are none
 * @param notes what a reader should know of the runs, a line each
 */
public record AcrossRuns(
        List<Run> runs,
        Map<String, Correlation> correlations,
        String uncorrelated,
        List<Law> laws,
        String missing,
        List<String> notes) {

    /**
     * @param label as in {@link ComparedRun}
     * @param accuracies top-1 as a fraction, by kind of probe
     */
    public record Run(String label, double loss, Map<String, Double> accuracies) {}

    /**
     * @param title what the loss is taken to fall with
     * @param selection which of the runs these are, in words
     * @param lines what is known of it
     * @param runs that it is fitted to; empty where it is in several quantities, as all below
     * @param curve empty without a fit
     * @param nextSize NaN without a fit
     * @param next loss of a run of that size
     */
    public record Law(
            String title,
            String selection,
            List<String> lines,
            List<Dot> runs,
            List<LawPlace> curve,
            double nextSize,
            Prediction next) {}

    /** A run on the plot of a law. */
    public record Dot(String label, double size, double loss) {}

    static AcrossRuns of(RunsFinding finding) {
        return new AcrossRuns(
                finding.runs().stream()
                        .map(run -> new Run(run.directory(), run.loss(), run.accuracies()))
                        .toList(),
                finding.correlations(),
                finding.uncorrelated(),
                finding.scaling().map(ScalingAnalysis::series).orElse(List.of()).stream()
                        .map(AcrossRuns::law)
                        .toList(),
                finding.missing(),
                finding.notes());
    }

    private static Law law(ScalingSeries series) {
        boolean drawn = series.quantities().size() == 1;
        return new Law(
                LawText.title(series),
                series.selection(),
                LawText.lines(series),
                drawn ? series.runs().stream().map(run -> dot(series, run)).toList() : List.of(),
                LawPlace.curve(series),
                drawn && series.fit().isPresent() ? series.nextSizes().get(0) : Double.NaN,
                drawn ? series.next() : Prediction.NONE);
    }

    private static Dot dot(ScalingSeries series, RunPoint run) {
        return new Dot(run.directory(), series.quantities().get(0).of(run), run.loss());
    }
}
