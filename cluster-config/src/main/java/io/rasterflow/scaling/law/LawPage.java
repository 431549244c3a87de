package io.rasterflow.scaling.law;

import io.rasterflow.monitoring.plot.HtmlPage;
import io.rasterflow.monitoring.plot.LawPlots;
import io.rasterflow.monitoring.plot.LawText;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.ScalingAnalysis;
import io.rasterflow.monitoring.science.ScalingSeries;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** {@code scaling.html}, one file with everything in it, and its plots as SVG files beside it. */
public final class LawPage {

    private static final String FILE = "scaling.html";

    private LawPage() {}

    /** Writes the page and its plots; the page is the first of the files. */
    public static List<Path> write(Path folder, ScalingAnalysis analysis, List<String> leftOut) throws IOException {
        Files.createDirectories(folder);
        Map<String, String> plots = LawPlots.of(analysis);
        List<Path> files = new ArrayList<>();
        files.add(Files.writeString(folder.resolve(FILE), page(analysis, leftOut, plots)));
        for (Map.Entry<String, String> plot : plots.entrySet()) {
            files.add(Files.writeString(folder.resolve(plot.getKey()), plot.getValue()));
        }
        return files;
    }

    private static String page(ScalingAnalysis analysis, List<String> leftOut, Map<String, String> plots) {
        List<RunPoint> runs = analysis.runs();
        HtmlPage page = new HtmlPage("Scaling of " + runs.size() + " runs").paragraph(LawText.objective(runs.get(0)));
        for (ScalingSeries series : analysis.series()) {
            page.section("Loss over " + LawText.title(series))
                    .paragraph(series.runs().size() + " runs: " + series.selection())
                    .list(LawText.lines(series))
                    .plot(plots.getOrDefault(LawPlots.file(series), ""));
        }
        analysis.correlations().forEach((kind, correlation) -> page.section("Loss and " + kind + " accuracy")
                .paragraph(correlation.describe())
                .plot(plots.getOrDefault(LawPlots.file(kind), "")));
        page.section("Runs");
        table(page, runs);
        List<String> notes = new ArrayList<>(analysis.notes());
        leftOut.forEach(why -> notes.add("left out: " + why));
        return page.list(notes).render();
    }

    private static void table(HtmlPage page, List<RunPoint> runs) {
        List<String> kinds = LawText.kinds(runs);
        List<String> heads = new ArrayList<>(List.of("run", "parameters", "images", "samples", "FLOPs", "loss"));
        heads.addAll(kinds);
        List<List<String>> rows = new ArrayList<>();
        for (RunPoint run : runs) {
            List<String> row = new ArrayList<>();
            row.add(run.name());
            row.add(text("%,d", run.parameters()));
            row.add(text("%,d", run.trainImages()));
            row.add(text("%,.0f", run.samples()));
            row.add(text("%.3g", run.flops()));
            row.add(text("%.4f", run.loss()));
            kinds.forEach(kind -> row.add(LawText.accuracy(run, kind)));
            rows.add(row);
        }
        page.numbers(heads, rows);
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
