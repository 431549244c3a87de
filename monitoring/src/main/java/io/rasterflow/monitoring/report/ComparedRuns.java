package io.rasterflow.monitoring.report;

import static io.rasterflow.monitoring.plot.Words.format;
import static io.rasterflow.monitoring.plot.Words.loss;
import static io.rasterflow.monitoring.plot.Words.percent;

import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import io.rasterflow.monitoring.plot.HtmlPage;
import io.rasterflow.monitoring.plot.SvgChart;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Several runs side by side: their losses and accuracies over images, and what they came to. */
final class ComparedRuns {

    private static final String IMAGES = "images";

    private final Map<String, RunHistory> runs;

    /** @param runs by what they are called, at least two, in the order in which they are shown */
    ComparedRuns(Map<String, RunHistory> runs) {
        this.runs = runs;
    }

    void addTo(HtmlPage page) {
        page.section("Compared with other runs");
        page.plots(List.of(losses("validation"), losses("loss"), accuracies()).stream()
                .flatMap(Optional::stream)
                .toList());
        List<List<String>> rows = new ArrayList<>();
        runs.forEach((name, run) -> rows.add(row(name, run.status())));
        page.numbers(
                List.of(
                        "run",
                        "parameters",
                        "step",
                        IMAGES,
                        "training loss",
                        "validation loss",
                        "accuracy",
                        "images/s",
                        "state"),
                rows);
        page.paragraph("Accuracies are those of each run's own probe, and losses those of its own objective and images:"
                + " they compare where these are the same.");
    }

    private static List<String> row(String name, RunStatus status) {
        List<ProbePoint> probes = status.mainProbes();
        return List.of(
                name,
                format("%,d", status.parameters()),
                format("%,d", status.step()),
                format("%,d", status.step() * status.globalBatch()),
                loss(status.trainLossLast()),
                loss(status.validationLossLast()),
                probes.isEmpty()
                        ? "-"
                        : percent(probes.get(probes.size() - 1).accuracy()) + " ("
                                + probes.get(0).series().label() + ")",
                format("%.0f", status.imagesPerSecondAverage()),
                status.state());
    }

    private Optional<String> losses(String curve) {
        String what = curve.equals("loss") ? "Training loss" : "Validation loss";
        SvgChart chart = new SvgChart(what + " of the runs", IMAGES, "loss", false);
        boolean any = false;
        for (Map.Entry<String, RunHistory> run : runs.entrySet()) {
            Optional<Tail> tail = run.getValue().curve(curve);
            if (tail.isPresent() && tail.get().values().stream().anyMatch(Double::isFinite)) {
                int batch = run.getValue().status().globalBatch();
                chart.line(
                        run.getKey(),
                        tail.get().steps().stream()
                                .mapToDouble(step -> (double) step * batch)
                                .toArray(),
                        tail.get().values().stream()
                                .mapToDouble(Double::doubleValue)
                                .toArray());
                any = true;
            }
        }
        return any ? Optional.of(chart.render()) : Optional.empty();
    }

    private Optional<String> accuracies() {
        SvgChart chart = new SvgChart("Accuracy of the runs", IMAGES, "top-1 in %", false);
        boolean any = false;
        for (Map.Entry<String, RunHistory> run : runs.entrySet()) {
            List<ProbePoint> probes = run.getValue().status().mainProbes();
            if (!probes.isEmpty()) {
                int batch = run.getValue().status().globalBatch();
                chart.line(
                        run.getKey(),
                        probes.stream()
                                .mapToDouble(probe -> (double) probe.step() * batch)
                                .toArray(),
                        probes.stream()
                                .mapToDouble(probe -> 100 * probe.accuracy())
                                .toArray());
                any = true;
            }
        }
        return any ? Optional.of(chart.render()) : Optional.empty();
    }
}
