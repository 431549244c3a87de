package io.rasterflow.scaling.law;

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

    private static final String HEAD =
            """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Scaling</title>
            <style>
            :root { color-scheme: light dark; --ink: #1f2430; --ground: #fff; --line: #dfe2e8 }
            @media (prefers-color-scheme: dark) { :root { --ink: #eceff4; --ground: #171a21; --line: #39404d } }
            body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 60rem;
            margin: 2rem auto; padding: 0 1rem }
            svg { width: 100%; height: auto; max-width: 640px } table { border-collapse: collapse }
            .wide { overflow-x: auto } th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid var(--line) }
            th:first-child, td:first-child { text-align: left } code { overflow-wrap: anywhere }
            </style>
            """;

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
        StringBuilder page = new StringBuilder(HEAD);
        List<RunPoint> runs = analysis.runs();
        element(page, "h1", "Scaling of " + runs.size() + " runs");
        element(page, "p", LawText.objective(runs.get(0)));
        for (ScalingSeries series : analysis.series()) {
            element(page, "h2", "Loss over " + LawText.title(series));
            element(page, "p", series.runs().size() + " runs: " + series.selection());
            list(page, LawText.lines(series));
            page.append(plots.getOrDefault(LawPlots.file(series), ""));
        }
        analysis.correlations().forEach((kind, correlation) -> {
            element(page, "h2", "Loss and " + kind + " accuracy");
            element(page, "p", correlation.describe());
            page.append(plots.getOrDefault(LawPlots.file(kind), ""));
        });
        element(page, "h2", "Runs");
        table(page, runs);
        List<String> notes = new ArrayList<>(analysis.notes());
        leftOut.forEach(why -> notes.add("left out: " + why));
        list(page, notes);
        return page.append("</html>\n").toString();
    }

    private static void table(StringBuilder page, List<RunPoint> runs) {
        List<String> kinds = LawText.kinds(runs);
        page.append("<div class=\"wide\" tabindex=\"0\"><table>\n<tr>");
        List<String> heads = new ArrayList<>(List.of("run", "parameters", "images", "samples", "FLOPs", "loss"));
        heads.addAll(kinds);
        heads.forEach(head -> element(page, "th", head));
        for (RunPoint run : runs) {
            page.append("<tr>");
            element(page, "td", run.name());
            element(page, "td", text("%,d", run.parameters()));
            element(page, "td", text("%,d", run.trainImages()));
            element(page, "td", text("%,.0f", run.samples()));
            element(page, "td", text("%.3g", run.flops()));
            element(page, "td", text("%.4f", run.loss()));
            kinds.forEach(kind -> element(page, "td", LawText.accuracy(run, kind)));
            page.append('\n');
        }
        page.append("</table></div>\n");
    }

    private static void list(StringBuilder page, List<String> lines) {
        if (!lines.isEmpty()) {
            page.append("<ul>\n");
            lines.forEach(line -> element(page, "li", line));
            page.append("</ul>\n");
        }
    }

    private static void element(StringBuilder page, String tag, String words) {
        page.append('<').append(tag).append('>').append(SvgChart.escape(words));
        page.append("</").append(tag).append(">\n");
    }

    private static String text(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }
}
