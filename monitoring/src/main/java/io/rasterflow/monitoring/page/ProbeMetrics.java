package io.rasterflow.monitoring.page;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.rasterflow.monitoring.science.ProbeCost;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What the probes of a run cost, as meters; what is not known yet leaves no series. */
final class ProbeMetrics {

    /** A value of the cost, by the tags of its series. */
    private record Value(Tags tags, ToDoubleFunction<ProbeCost> of) {}

    private final MeterRegistry registry;
    private final Map<MultiGauge, List<Value>> gauges = new LinkedHashMap<>();
    private ProbeCost cost = ProbeCost.NONE;

    ProbeMetrics(MeterRegistry registry) {
        this.registry = registry;
        counter("rasterflow.probes", "Probes that were made, of all kinds and sets", ProbeCost::probes);
        counter("rasterflow.probe.seconds", "Wall clock that they took", ProbeCost::seconds);
        counter(
                "rasterflow.probe.cpu.seconds",
                "Processor time that their thread took",
                known -> Math.max(0, orZero(known.cpuSeconds())));
        gauge(
                "rasterflow.probe.slowdown.ratio",
                "By which a step takes longer while a probe is under way; 0 = not at all",
                new Value(Tags.empty(), known -> known.slowdown().value()));
        gauge(
                "rasterflow.probe.lost.ratio",
                "Share of the wall clock of all steps that training lost to the probes",
                new Value(Tags.empty(), known -> known.lost().value()));
        gauge(
                "rasterflow.probe.step.seconds",
                "Wall clock of a step of rank 0 while a probe is under way, and shortly before and after",
                new Value(Tags.of("when", "during"), ProbeCost::stepSecondsDuring),
                new Value(Tags.of("when", "around"), ProbeCost::stepSeconds));
        gauge(
                "rasterflow.probe.idle.cores",
                "Cores that nobody uses, where probes are made, while none is under way",
                new Value(Tags.empty(), ProbeCost::idleCores));
    }

    private static double orZero(double value) {
        return Double.isNaN(value) ? 0 : value;
    }

    private void counter(String name, String description, ToDoubleFunction<ProbeCost> value) {
        FunctionCounter.builder(name, this, metrics -> value.applyAsDouble(metrics.cost))
                .description(description)
                .register(registry);
    }

    private void gauge(String name, String description, Value... values) {
        gauges.put(MultiGauge.builder(name).description(description).register(registry), List.of(values));
    }

    void update(ProbeCost now) {
        cost = now;
        gauges.forEach((gauge, values) -> {
            List<MultiGauge.Row<?>> rows = new ArrayList<>();
            for (Value value : values) {
                double known = value.of().applyAsDouble(now);
                if (Double.isFinite(known)) {
                    rows.add(MultiGauge.Row.of(value.tags(), known));
                }
            }
            gauge.register(rows, true);
        });
    }
}
