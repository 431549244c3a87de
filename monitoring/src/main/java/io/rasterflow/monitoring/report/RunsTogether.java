package io.rasterflow.monitoring.report;

import io.rasterflow.monitoring.plot.CorrelationPlot;
import io.rasterflow.monitoring.plot.CorrelationPlot.Pair;
import io.rasterflow.monitoring.plot.HtmlPage;
import io.rasterflow.monitoring.plot.LawPlots;
import io.rasterflow.monitoring.plot.LawText;
import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.ProbePoint;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.RunsFinding;
import io.rasterflow.monitoring.science.ScalingSeries;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What several runs tell together: whether lower loss goes with higher accuracy over them, and how loss falls with size. */
final class RunsTogether {

    private final Map<String, RunHistory> runs;
    private final RunsFinding finding;

    /** @param runs by what they are called, at least two */
    RunsTogether(Map<String, RunHistory> runs) {
        this.runs = runs;
        List<RunPoint> points = new ArrayList<>();
        List<String> leftOut = new ArrayList<>();
        runs.forEach((name, run) -> {
            try {
                points.add(run.point(name));
            } catch (IllegalArgumentException e) {
                leftOut.add(e.getMessage());
            }
        });
        finding = RunsFinding.of(points, leftOut);
    }

    void addTo(HtmlPage page) {
        page.section("Loss and accuracy over the runs");
        finding.correlations().forEach((kind, correlation) -> correlation(page, kind, correlation));
        page.paragraph(
                finding.correlations().isEmpty()
                        ? "Nothing is said of it: " + finding.uncorrelated() + "."
                        : "A correlation over runs is of the last validated weights of each; the points are of all its"
                                + " trained ones.");
        page.section("Loss over size");
        finding.scaling()
                .ifPresentOrElse(
                        analysis -> {
                            Map<String, String> plots = LawPlots.ofLaws(analysis);
                            for (ScalingSeries series : analysis.series()) {
                                page.paragraph("Law in " + LawText.title(series) + " ("
                                                + series.runs().size() + " runs: " + series.selection() + ")")
                                        .list(LawText.lines(series));
                            }
                            page.plots(analysis.series().stream()
                                    .filter(series -> series.fit().isPresent())
                                    .map(series -> plots.get(LawPlots.file(series)))
                                    .toList());
                        },
                        () -> page.paragraph("No law: " + finding.missing() + "."));
        page.list(finding.notes());
    }

    private void correlation(HtmlPage page, String kind, Correlation correlation) {
        page.paragraph(kind + " probe: " + correlation.describe() + ".");
        Map<String, List<Pair>> pairs = new LinkedHashMap<>();
        runs.forEach((name, run) -> {
            List<Pair> measured = pairs(run, kind);
            if (!measured.isEmpty()) {
                pairs.put(name, measured);
            }
        });
        if (pairs.size() > 1) {
            page.plot(CorrelationPlot.ofRuns(kind, pairs, correlation));
        }
    }

    /** Of several labelled sets, their mean. */
    private static List<Pair> pairs(RunHistory run, String kind) {
        List<ProbePoint> ofKind = run.status().probes().stream()
                .filter(probe ->
                        probe.step() > 0 && probe.kind().equals(kind) && Double.isFinite(probe.validationLoss()))
                .toList();
        boolean averaged = ofKind.stream().anyMatch(probe -> probe.set().equals(ProbePoint.AVERAGE));
        return ofKind.stream()
                .filter(probe -> !averaged || probe.set().equals(ProbePoint.AVERAGE))
                .map(probe -> new Pair(probe.validationLoss(), probe.accuracy(), ""))
                .toList();
    }
}
