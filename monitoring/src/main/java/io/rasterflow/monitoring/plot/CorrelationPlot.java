package io.rasterflow.monitoring.plot;

import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.LinearFit;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Probe accuracy over validation loss: the pairs, their line, and where one more pair would lie. */
public final class CorrelationPlot {

    /** Places at which the line is computed. */
    private static final int PLACES = 80;

    private CorrelationPlot() {}

    /**
     * One pair.
     *
     * @param accuracy top-1 as a fraction
     * @param says what it is
     */
    public record Pair(double loss, double accuracy, String says) {}

    /**
     * The plot as SVG.
     *
     * @param kind of the probe, and set
     * @param pairs at least one, all finite
     * @param correlation of these pairs; without a line where it is not known
     */
    public static String of(String kind, List<Pair> pairs, Correlation correlation) {
        SvgChart chart = new SvgChart(title(correlation), "validation loss", kind + " probe, top-1 in %", false);
        addLine(chart, pairs, correlation);
        pairs.forEach(pair -> chart.point(pair.loss(), 100 * pair.accuracy(), pair.says()));
        return chart.render();
    }

    /**
     * The plot of several runs: every pair of each, and the line through the last ones.
     *
     * @param kind of the probe
     * @param runs pairs of each by its name, all finite, any at all
     * @param correlation over the runs, of the last pair of each
     */
    public static String ofRuns(String kind, Map<String, List<Pair>> runs, Correlation correlation) {
        SvgChart chart = new SvgChart(
                title(correlation) + " over the runs", "validation loss", kind + " probe, top-1 in %", false);
        List<Pair> pairs = runs.values().stream().flatMap(List::stream).toList();
        addLine(chart, pairs, correlation);
        runs.forEach((name, of) -> chart.dots(
                name,
                of.stream().mapToDouble(Pair::loss).toArray(),
                of.stream().mapToDouble(pair -> 100 * pair.accuracy()).toArray()));
        return chart.render();
    }

    private static void addLine(SvgChart chart, List<Pair> pairs, Correlation correlation) {
        LinearFit line = correlation.line();
        if (correlation.known() && line.known()) {
            double least = pairs.stream().mapToDouble(Pair::loss).min().orElseThrow();
            double most = pairs.stream().mapToDouble(Pair::loss).max().orElseThrow();
            double[] x = new double[PLACES];
            double[] y = new double[PLACES];
            double[] low = new double[PLACES];
            double[] high = new double[PLACES];
            for (int i = 0; i < PLACES; i++) {
                x[i] = least + (most - least) * i / (PLACES - 1);
                y[i] = 100 * line.at(x[i]).value();
                low[i] = 100 * line.at(x[i]).interval().low();
                high[i] = 100 * line.at(x[i]).interval().high();
            }
            chart.band(x, low, high).curve(x, y);
        }
    }

    private static String title(Correlation correlation) {
        if (!correlation.known()) {
            return "Accuracy over loss";
        }
        String interval = Double.isNaN(correlation.pearsonLow())
                ? ""
                : text(" (95 %% %.2f to %.2f)", correlation.pearsonLow(), correlation.pearsonHigh());
        return text("Accuracy over loss: r = %.3f", correlation.pearson()) + interval;
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
