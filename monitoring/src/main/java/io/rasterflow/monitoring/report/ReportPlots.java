package io.rasterflow.monitoring.report;

import static io.rasterflow.monitoring.plot.Words.format;
import static io.rasterflow.monitoring.plot.Words.loss;
import static io.rasterflow.monitoring.plot.Words.percent;

import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.monitor.RunStatus.RankTime;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import io.rasterflow.monitoring.plot.CorrelationPlot;
import io.rasterflow.monitoring.plot.SvgChart;
import io.rasterflow.monitoring.science.LayerCurve;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** The plots of a run, as far as there is something to show. */
final class ReportPlots {

    private static final String STEP = "step";
    /** Ranks that have bars. */
    private static final int MAX_RANKS = 64;
    /** Width of a bar, of the distance between two. */
    private static final double BAR = 0.8;

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
        plots.putAll(kinds(history));
        plots.put("layers", layers(history));
        plots.put("learning rate", lines("Learning rate", "rate", Map.of("rate", history.curve("learningRate"))));
        plots.put("gradient norm", lines("Gradient norm", "norm", Map.of("norm", history.curve("gradientNorm"))));
        plots.put("throughput", lines("Throughput", "images/s", Map.of("images/s", history.curve("imagesPerSecond"))));
        plots.put("step time", stepTime(history.ledger()));
        plots.put("step time by rank", ranks(history.status().ranks()));
        plots.put("waiting for images", inputWait(history));
        plots.put("queues", lines("Items inside the input pipelines", "items", family(history, "queue.")));
        plots.put("source rates", lines("Images per second by source", "images/s", family(history, "rate.")));
        plots.put("epochs", lines("Epochs by source", "epochs", family(history, "epoch.")));
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

    /** The curves whose names begin alike, by the rest of their names. */
    private static Map<String, Optional<Tail>> family(RunHistory history, String prefix) {
        Map<String, Optional<Tail>> family = new LinkedHashMap<>();
        history.curveNames().stream()
                .filter(name -> name.startsWith(prefix))
                .forEach(name -> family.put(name.substring(prefix.length()), history.curve(name)));
        return family;
    }

    private static String inputWait(RunHistory history) {
        Optional<Tail> percent = history.curve("inputWait")
                .map(wait -> new Tail(
                        wait.from(),
                        wait.steps(),
                        wait.values().stream().map(share -> 100 * share).toList()));
        return lines("Waiting for images, of the first rank", "% of the step", Map.of("waiting", percent));
    }

    /** A bar for each rank, those with the longest steps of their own where there are many. */
    private static String ranks(List<RankTime> all) {
        List<RankTime> ranks = all.stream()
                .filter(rank -> rank.steps() > 0)
                .sorted(Comparator.comparingDouble(ReportPlots::own).reversed())
                .limit(MAX_RANKS)
                .sorted(Comparator.comparingInt(RankTime::rank))
                .toList();
        if (ranks.isEmpty()) {
            return "";
        }
        String which =
                ranks.size() < all.size() ? format("the slowest %d of %d ranks", MAX_RANKS, all.size()) : "by rank";
        SvgChart chart = new SvgChart("Where the time of a step went, " + which, "rank", "seconds", false).whole();
        double[] edges = ranks.stream()
                .flatMapToDouble(rank -> DoubleStream.of(
                        rank.rank() - BAR / 2, rank.rank() - BAR / 2, rank.rank() + BAR / 2, rank.rank() + BAR / 2))
                .toArray();
        Ledger.PARTS.forEach((part, seconds) -> chart.area(
                part,
                edges,
                ranks.stream()
                        .mapToDouble(rank -> seconds.applyAsDouble(rank.total()) / rank.steps())
                        .flatMap(mean -> DoubleStream.of(0, mean, mean, 0))
                        .toArray()));
        return chart.render();
    }

    /** Without the exchange, in which a rank mostly waits for others. */
    private static double own(RankTime rank) {
        return (rank.total().total() - rank.total().exchange()) / rank.steps();
    }

    /** The probes of other kinds against those that the run is judged by, of the same weights. */
    private static Map<String, String> kinds(RunHistory history) {
        Map<String, String> plots = new LinkedHashMap<>();
        List<ProbePoint> main = history.status().mainProbes();
        Map<Long, Double> judged = new HashMap<>();
        main.forEach(probe -> judged.put(probe.step(), probe.accuracy()));
        for (ProbePoint.Series series : history.probed()) {
            List<ProbePoint> probes = history.probes(series).stream()
                    .filter(probe -> judged.containsKey(probe.step()))
                    .toList();
            ProbePoint.Series own = main.get(0).series();
            if (series.equals(own) || !series.set().equals(own.set()) || probes.isEmpty()) {
                continue;
            }
            String title = series.label() + " against " + own.label();
            SvgChart chart = new SvgChart(
                    "Accuracy: " + title, own.label() + ", top-1 in %", series.label() + ", top-1 in %", false);
            probes.forEach(probe -> chart.point(
                    100 * judged.get(probe.step()),
                    100 * probe.accuracy(),
                    format(
                            "step %,d: %s and %s",
                            probe.step(), percent(judged.get(probe.step())), percent(probe.accuracy()))));
            plots.put(title, chart.render());
        }
        return plots;
    }

    /** What the layers are worth to each kind of probe that is made on several, now and at first. */
    private static String layers(RunHistory history) {
        List<LayerCurve> curves = history.status().layers();
        if (curves.isEmpty()) {
            return "";
        }
        SvgChart chart = new SvgChart("Accuracy by layer", "block", "top-1 in %", false);
        for (LayerCurve curve : curves) {
            chart.line(
                    curve.series().label() + (curve.step() == 0 ? ", untrained" : format(", step %,d", curve.step())),
                    IntStream.range(0, curve.layers().size()).asDoubleStream().toArray(),
                    curve.layers().stream()
                            .mapToDouble(layer -> 100 * layer.accuracy())
                            .toArray());
        }
        return chart.render();
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
