package io.rasterflow.monitoring.report;

import static io.rasterflow.monitoring.plot.Words.format;
import static io.rasterflow.monitoring.plot.Words.loss;
import static io.rasterflow.monitoring.plot.Words.percent;

import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import io.rasterflow.monitoring.plot.CorrelationPlot;
import io.rasterflow.monitoring.plot.SvgChart;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The plots of a run, as far as there is something to show. */
final class ReportPlots {

    private static final String STEP = "step";

    private ReportPlots() {}

    /** SVG by what it shows; empty text where nothing of it is journalled. */
    static Map<String, String> of(RunHistory history) {
        Map<String, String> plots = new LinkedHashMap<>();
        Map<String, Optional<Tail>> losses = new LinkedHashMap<>();
        losses.put("training", history.curve("loss"));
        losses.put("validation", history.curve("validation"));
        plots.put("loss", lines("Loss", "loss", losses));
        plots.put("accuracy", accuracies(history));
        plots.put("correlation", correlation(history));
        plots.put("learning rate", lines("Learning rate", "rate", Map.of("rate", history.curve("learningRate"))));
        plots.put("gradient norm", lines("Gradient norm", "norm", Map.of("norm", history.curve("gradientNorm"))));
        plots.put("throughput", lines("Throughput", "images/s", Map.of("images/s", history.curve("imagesPerSecond"))));
        plots.put("step time", stepTime(history.ledger()));
        return plots;
    }

    private static String lines(String title, String unit, Map<String, Optional<Tail>> curves) {
        SvgChart chart = new SvgChart(title, STEP, unit, false);
        boolean any = false;
        for (Map.Entry<String, Optional<Tail>> curve : curves.entrySet()) {
            if (curve.getValue().isEmpty()) {
                continue;
            }
            Tail tail = curve.getValue().get();
            if (tail.values().stream().anyMatch(Double::isFinite)) {
                chart.line(curve.getKey(), doubles(tail.steps()), doubles(tail.values()));
                any = true;
            }
        }
        return any ? chart.render() : "";
    }

    private static double[] doubles(List<? extends Number> values) {
        return values.stream().mapToDouble(Number::doubleValue).toArray();
    }

    private static String accuracies(RunHistory history) {
        List<ProbePoint.Series> probed = history.probed();
        if (probed.isEmpty()) {
            return "";
        }
        SvgChart chart = new SvgChart("Accuracy of the probes", STEP, "top-1 in %", false);
        for (ProbePoint.Series series : probed) {
            List<ProbePoint> probes = history.probes(series);
            chart.line(
                    series.label(),
                    probes.stream().mapToDouble(ProbePoint::step).toArray(),
                    probes.stream().mapToDouble(probe -> 100 * probe.accuracy()).toArray());
        }
        return chart.render();
    }

    private static String correlation(RunHistory history) {
        List<ProbePoint> probes = history.status().mainProbes();
        List<CorrelationPlot.Pair> pairs = probes.stream()
                .filter(probe -> Double.isFinite(probe.validationLoss()))
                .map(probe -> new CorrelationPlot.Pair(
                        probe.validationLoss(),
                        probe.accuracy(),
                        format(
                                "step %,d: loss %s, %s",
                                probe.step(), loss(probe.validationLoss()), percent(probe.accuracy()))))
                .toList();
        return pairs.isEmpty()
                ? ""
                : CorrelationPlot.of(
                        probes.get(0).series().label(), pairs, history.status().correlation());
    }

    private static String stepTime(LedgerHistory ledger) {
        double[] steps = ledger.steps();
        if (steps.length < 2) {
            return "";
        }
        SvgChart chart = new SvgChart("Where the time of a step went, mean of all ranks", STEP, "seconds", false);
        ledger.means().forEach((part, seconds) -> chart.area(part, steps, seconds));
        return chart.render();
    }
}
