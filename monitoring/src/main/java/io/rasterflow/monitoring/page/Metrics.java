package io.rasterflow.monitoring.page;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.rasterflow.monitoring.alarm.AlarmKind;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.monitor.RunStatus.RankTime;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The run and this JVM as Prometheus text. Names begin with {@code rasterflow_}, end with their base unit and, when they
 * only grow, with {@code _total}.
 */
final class Metrics implements AutoCloseable {

    static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final JvmGcMetrics gc = new JvmGcMetrics();
    private final Map<Integer, RankMeters> ranks = new HashMap<>();
    private final InputMetrics inputs = new InputMetrics(registry);
    private final UsageMetrics usages = new UsageMetrics(registry);
    private final CacheMetrics caches = new CacheMetrics(registry);
    private final ProbeMetrics probes = new ProbeMetrics(registry);
    /** Of the ranks that are there: one that is gone, or on another node, leaves no series behind. */
    private final MultiGauge slowdowns = MultiGauge.builder("rasterflow.rank.slowdown.ratio")
            .description(
                    "Own time per micro-batch, without the exchange, over that of the other ranks; 1 = as the others")
            .register(registry);

    /** A set that another start no longer probes leaves no series behind either. */
    private final MultiGauge sets = MultiGauge.builder("rasterflow.probe.set.accuracy.ratio")
            .description("Top-1 accuracy of the last probe by kind and labelled set")
            .register(registry);

    private RunStatus status;

    /** What is known of a rank while it is on a node, by part of a step. */
    private record RankMeters(String node, List<FunctionCounter> parts) {}

    Metrics() {
        new JvmMemoryMetrics().bindTo(registry);
        new JvmThreadMetrics().bindTo(registry);
        new ProcessorMetrics().bindTo(registry);
        new UptimeMetrics().bindTo(registry);
        gc.bindTo(registry);
        gauge("rasterflow.loss", "Training loss of the last step", RunStatus::loss);
        gauge("rasterflow.validation.loss", "Loss of the last validation", RunStatus::validationLossLast);
        gauge(
                "rasterflow.probe.accuracy.ratio",
                "Top-1 accuracy of the last probe; of several sets, their mean",
                Metrics::accuracy);
        gauge(
                "rasterflow.probe.correlation",
                "Pearson correlation of validation loss with probe accuracy",
                s -> s.correlation().pearson());
        gauge("rasterflow.learning.rate", "Learning rate of the last step", RunStatus::learningRate);
        gauge(
                "rasterflow.gradient.norm",
                "Global gradient norm of the last step before clipping",
                RunStatus::gradientNorm);
        gauge(
                "rasterflow.gradient.noise.scale.images",
                "Gradient-noise scale: about the largest batch that still saves steps in proportion",
                RunStatus::noiseScale);
        gauge("rasterflow.images.per.second", "Training throughput of the whole world", RunStatus::imagesPerSecond);
        gauge("rasterflow.step", "Last finished step", RunStatus::step);
        gauge("rasterflow.steps.planned", "Step at which the run ends", RunStatus::steps);
        gauge("rasterflow.epoch", "Passes over the training images", RunStatus::epoch);
        gauge("rasterflow.remaining.seconds", "Estimated time until the run ends", RunStatus::secondsLeft);
        gauge("rasterflow.world.size", "Ranks of the present generation", RunStatus::worldSize);
        gauge("rasterflow.generation", "Present generation", RunStatus::generation);
        gauge("rasterflow.paused", "1 while a user has paused the run", s -> s.paused() ? 1 : 0);
        for (AlarmKind kind : AlarmKind.values()) {
            Gauge.builder("rasterflow.alarm.active", this, metrics -> metrics.active(kind))
                    .description("1 while an alarm of this kind is raised")
                    .tag("alarm", kind.id())
                    .register(registry);
        }
        counter("rasterflow.steps", "Steps done", RunStatus::stepsDone);
        counter("rasterflow.images", "Images trained on", RunStatus::imagesDone);
        counter("rasterflow.bad.samples", "Bad samples that were replaced", RunStatus::badSamples);
        counter("rasterflow.checkpoints", "Checkpoints written", RunStatus::checkpoints);
    }

    /** The exposition of a status; one at a time, since the meters read it. */
    synchronized String scrape(RunStatus now) {
        status = now;
        inputs.update(now.inputs());
        usages.update(now.usages());
        caches.update(now.caches());
        probes.update(now.probeCost());
        now.ranks().forEach(this::addRank);
        slowdowns.register(
                now.ranks().stream()
                        .filter(rank -> rank.active() && !Double.isNaN(rank.slowdown()))
                        .map(rank -> MultiGauge.Row.of(
                                Tags.of("rank", Integer.toString(rank.rank()), "node", rank.node()), rank.slowdown()))
                        .toList(),
                true);
        Map<ProbePoint.Series, ProbePoint> last = new LinkedHashMap<>();
        now.probes().stream()
                .filter(probe -> !probe.set().isEmpty() && !probe.set().equals(ProbePoint.AVERAGE))
                .forEach(probe -> last.put(probe.series(), probe));
        sets.register(
                last.values().stream()
                        .map(probe ->
                                MultiGauge.Row.of(Tags.of("kind", probe.kind(), "set", probe.set()), probe.accuracy()))
                        .toList(),
                true);
        return registry.scrape();
    }

    /** A rank that has gone to another node takes its seconds with it, and leaves no series on the old one. */
    private void addRank(RankTime rank) {
        RankMeters old = ranks.get(rank.rank());
        if (old != null && old.node().equals(rank.node())) {
            return;
        }
        if (old != null) {
            old.parts().forEach(registry::remove);
        }
        int number = rank.rank();
        List<FunctionCounter> parts = Ledger.PARTS.entrySet().stream()
                .map(part -> FunctionCounter.builder(
                                "rasterflow.step.seconds", this, metrics -> metrics.seconds(number, part.getValue()))
                        .description("Wall clock of the steps of a rank by part, with the node that it is on now")
                        .tag("rank", Integer.toString(number))
                        .tag("node", rank.node())
                        .tag("part", part.getKey())
                        .register(registry))
                .toList();
        ranks.put(number, new RankMeters(rank.node(), parts));
    }

    private double seconds(int rank, ToDoubleFunction<Ledger> part) {
        return status.ranks().stream()
                .filter(time -> time.rank() == rank)
                .mapToDouble(time -> part.applyAsDouble(time.total()))
                .findFirst()
                .orElse(Double.NaN);
    }

    private int active(AlarmKind kind) {
        return status.alarms().stream().anyMatch(alarm -> alarm.alarm().equals(kind.id())) ? 1 : 0;
    }

    private void gauge(String name, String description, ToDoubleFunction<RunStatus> value) {
        Gauge.builder(name, this, metrics -> value.applyAsDouble(metrics.status))
                .description(description)
                .register(registry);
    }

    private void counter(String name, String description, ToDoubleFunction<RunStatus> value) {
        FunctionCounter.builder(name, this, metrics -> value.applyAsDouble(metrics.status))
                .description(description)
                .register(registry);
    }

    private static double accuracy(RunStatus status) {
        List<ProbePoint> probes = status.mainProbes();
        return probes.isEmpty() ? Double.NaN : probes.get(probes.size() - 1).accuracy();
    }

    @Override
    public void close() {
        gc.close();
        registry.close();
    }
}
