package io.rasterflow.monitoring.plot;

import io.rasterflow.monitoring.science.Interval;
import io.rasterflow.monitoring.science.Prediction;
import io.rasterflow.monitoring.science.Quantity;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.ScalingAnalysis;
import io.rasterflow.monitoring.science.ScalingFit;
import io.rasterflow.monitoring.science.ScalingLaw.Term;
import io.rasterflow.monitoring.science.ScalingSeries;
import io.rasterflow.monitoring.science.ScalingSeries.HeldOut;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The analysis of a scaling law in words, for the terminal and pages. */
public final class LawText {

    private LawText() {}

    /** For people. */
    public static void print(PrintStream out, ScalingAnalysis analysis, List<String> leftOut) {
        List<RunPoint> runs = analysis.runs();
        out.println("scaling of " + runs.size() + " runs: " + objective(runs.get(0)));
        out.println();
        int width = Math.max(
                3, runs.stream().mapToInt(run -> run.name().length()).max().orElse(3));
        List<String> kinds = kinds(runs);
        out.printf("  %-" + width + "s  %12s  %12s  %10s  %8s", "run", "parameters", "samples", "FLOPs", "loss");
        kinds.forEach(kind -> out.printf("  %10s", kind));
        out.println();
        for (RunPoint run : runs) {
            out.printf(
                    Locale.ROOT,
                    "  %-" + width + "s  %,12d  %,12.0f  %10.3g  %8.4f",
                    run.name(),
                    run.parameters(),
                    run.samples(),
                    run.flops(),
                    run.loss());
            kinds.forEach(kind -> out.printf("  %10s", accuracy(run, kind)));
            out.println();
        }
        for (ScalingSeries series : analysis.series()) {
            out.println();
            out.println("law in " + title(series) + " (" + series.runs().size() + " runs: " + series.selection() + ")");
            lines(series).forEach(line -> out.println("  " + line));
        }
        out.println();
        analysis.correlations()
                .forEach((kind, correlation) ->
                        out.println("loss and " + kind + " accuracy over the runs: " + correlation.describe()));
        analysis.notes().forEach(note -> out.println("note: " + note));
        leftOut.forEach(why -> out.println("left out: " + why));
    }

    /** What the losses measure, and on what. */
    public static String objective(RunPoint run) {
        String objective = run.experiment().objective();
        return (objective.isEmpty() ? "objective not journalled" : objective) + "; validated on "
                + run.validationImages() + " images";
    }

    /** Kinds of probe that any of the runs has. */
    public static List<String> kinds(List<RunPoint> runs) {
        TreeSet<String> kinds = new TreeSet<>();
        runs.forEach(run -> kinds.addAll(run.accuracies().keySet()));
        return List.copyOf(kinds);
    }

    /** Of a kind of probe; a dash where the run has none. */
    public static String accuracy(RunPoint run, String kind) {
        Double accuracy = run.accuracies().get(kind);
        return accuracy == null ? "-" : text("%.2f %%", 100 * accuracy);
    }

    /** What the loss is taken to fall with. */
    public static String title(ScalingSeries series) {
        return series.quantities().stream().map(Quantity::label).collect(Collectors.joining(" and "));
    }

    /** What is known of one series, a line each. */
    public static List<String> lines(ScalingSeries series) {
        if (series.fit().isEmpty()) {
            return List.of("no law: " + series.problem());
        }
        ScalingFit fit = series.fit().get();
        List<String> lines = new ArrayList<>();
        lines.add(formula(series, fit));
        if (fit.freedom() > 0) {
            lines.add(text(
                    "runs lie %.2f %% around it, R² = %.4f, %d degrees of freedom",
                    100 * fit.deviation(), fit.explained(), fit.freedom()));
        }
        if (!series.problem().isEmpty()) {
            lines.add("doubt: " + series.problem());
        }
        if (series.heldOut().isEmpty()) {
            lines.add("held out: too few smaller runs to predict the largest from");
        }
        series.heldOut().forEach(heldOut -> lines.add(heldOut(heldOut)));
        lines.add("next size: " + sizes(series) + ": loss " + loss(series.next()));
        return lines;
    }

    private static String formula(ScalingSeries series, ScalingFit fit) {
        StringBuilder formula = new StringBuilder("L = ");
        formula.append(text("%.4f", fit.law().floor())).append(interval(fit.floor()));
        for (int k = 0; k < series.quantities().size(); k++) {
            Term term = fit.law().terms().get(k);
            formula.append(" + (")
                    .append(term.exponent() == 0 ? "0" : text("%.3g", term.scale()))
                    .append(" / ")
                    .append(series.quantities().get(k).label())
                    .append(") ^ ")
                    .append(text("%.3f", term.exponent()))
                    .append(interval(fit.exponent(k)));
        }
        return formula.toString();
    }

    private static String heldOut(HeldOut heldOut) {
        String verdict = heldOut.within()
                .map(inside -> inside ? ", inside" : ", outside")
                .orElse(", no interval");
        return "held out: " + heldOut.run().name() + " predicted " + loss(heldOut.prediction())
                + text(", measured %.4f: %+.2f %%%s", heldOut.run().loss(), 100 * heldOut.relativeError(), verdict);
    }

    private static String sizes(ScalingSeries series) {
        StringBuilder sizes = new StringBuilder();
        for (int k = 0; k < series.quantities().size(); k++) {
            sizes.append(k == 0 ? "" : ", ")
                    .append(Figures.of(series.nextSizes().get(k)))
                    .append(' ')
                    .append(series.quantities().get(k).label());
        }
        return sizes.toString();
    }

    private static String loss(Prediction prediction) {
        return text("%.4f", prediction.value()) + interval(prediction.interval());
    }

    private static String interval(Interval interval) {
        return interval.known() ? text(" (95 %% %.4f to %.4f)", interval.low(), interval.high()) : "";
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
