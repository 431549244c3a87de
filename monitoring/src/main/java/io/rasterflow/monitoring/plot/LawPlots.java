package io.rasterflow.monitoring.plot;

import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.LawPlace;
import io.rasterflow.monitoring.science.Quantity;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.ScalingAnalysis;
import io.rasterflow.monitoring.science.ScalingFit;
import io.rasterflow.monitoring.science.ScalingSeries;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** The plots of the analysis of a scaling law. */
public final class LawPlots {

    private LawPlots() {}

    /** SVG texts by file name. */
    public static Map<String, String> of(ScalingAnalysis analysis) {
        Map<String, String> plots = ofLaws(analysis);
        analysis.correlations().forEach((kind, correlation) -> {
            if (correlation.known()) {
                plots.put(file(kind), correlation(analysis.runs(), kind, correlation));
            }
        });
        return plots;
    }

    /** The same without those of accuracies. */
    public static Map<String, String> ofLaws(ScalingAnalysis analysis) {
        Map<String, String> plots = new LinkedHashMap<>();
        for (ScalingSeries series : analysis.series()) {
            String name = file(series);
            if (series.quantities().size() == 1) {
                plots.put(name, law(series));
            } else if (series.fit().isPresent()) {
                plots.put(name, agreement(series, series.fit().get()));
            }
        }
        return plots;
    }

    /** Name of the plot of a law. */
    public static String file(ScalingSeries series) {
        return "loss-" + LawText.title(series).toLowerCase(Locale.ROOT).replace(' ', '-') + ".svg";
    }

    /** Name of the plot of a correlation. */
    public static String file(String probeKind) {
        return "accuracy-" + probeKind + ".svg";
    }

    private static String law(ScalingSeries series) {
        Quantity quantity = series.quantities().get(0);
        SvgChart chart = new SvgChart("Loss over " + quantity.label(), quantity.label(), "validation loss", true);
        if (series.fit().isPresent()) {
            List<LawPlace> curve = LawPlace.curve(series);
            double[] x = values(curve, LawPlace::size);
            if (series.fit().get().freedom() > 0) {
                chart.band(x, values(curve, LawPlace::low), values(curve, LawPlace::high));
            }
            chart.curve(x, values(curve, LawPlace::loss));
            chart.expected(
                    series.nextSizes().get(0),
                    series.next().value(),
                    series.next().interval(),
                    text("predicted: %.4f", series.next().value()));
        }
        for (RunPoint run : series.runs()) {
            chart.point(quantity.of(run), run.loss(), text("%s: %.4f", run.name(), run.loss()));
        }
        return chart.render();
    }

    /** Of a law in several quantities: what it says against what was measured. */
    private static String agreement(ScalingSeries series, ScalingFit fit) {
        SvgChart chart = new SvgChart(
                "Loss by the law in " + LawText.title(series), "loss by the law", "validation loss", false);
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (RunPoint run : series.runs()) {
            double said = fit.law()
                    .at(series.quantities().stream()
                            .mapToDouble(quantity -> quantity.of(run))
                            .toArray());
            chart.point(said, run.loss(), text("%s: %.4f, by the law %.4f", run.name(), run.loss(), said));
            least = Math.min(least, said);
            most = Math.max(most, said);
        }
        return chart.curve(new double[] {least, most}, new double[] {least, most})
                .render();
    }

    private static String correlation(List<RunPoint> runs, String kind, Correlation correlation) {
        List<CorrelationPlot.Pair> pairs = runs.stream()
                .filter(run -> run.accuracies().containsKey(kind))
                .map(run -> new CorrelationPlot.Pair(
                        run.loss(),
                        run.accuracies().get(kind),
                        text("%s: loss %.4f, %s", run.name(), run.loss(), LawText.accuracy(run, kind))))
                .toList();
        return CorrelationPlot.of(kind, pairs, correlation);
    }

    private static double[] values(List<LawPlace> curve, ToDoubleFunction<LawPlace> value) {
        return curve.stream().mapToDouble(value).toArray();
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
