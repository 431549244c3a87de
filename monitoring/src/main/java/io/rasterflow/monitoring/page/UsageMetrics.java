package io.rasterflow.monitoring.page;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Event.Usage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What the nodes take of processor and memory, as meters; a node that is gone and what is not known leave no series. */
final class UsageMetrics {

    private final MeterRegistry registry;
    private final Map<MultiGauge, ToDoubleFunction<Usage>> ofNodes = new LinkedHashMap<>();
    private final Map<MultiGauge, ToDoubleFunction<Usage.Gpu>> ofGpus = new LinkedHashMap<>();

    UsageMetrics(MeterRegistry registry) {
        this.registry = registry;
        ofNodes.put(gauge("cpu.ratio", "Share of its cores that the process of a node takes"), Usage::processCpu);
        ofNodes.put(gauge("machine.cpu.ratio", "Share of its cores that a machine takes"), Usage::machineCpu);
        ofNodes.put(gauge("cores", "Cores that the process of a node may use"), Usage::cores);
        ofNodes.put(gauge("resident.bytes", "Memory that the process of a node holds"), Usage::residentBytes);
        ofNodes.put(gauge("memory.bytes", "Memory of the machine"), Usage::memoryBytes);
        ofNodes.put(gauge("available.bytes", "Memory of the machine that can still be had"), Usage::availableBytes);
        ofNodes.put(gauge("heap.bytes", "Java objects, dead ones included"), Usage::heapBytes);
        ofNodes.put(gauge("heap.max.bytes", "Most that Java objects may take"), Usage::heapMaxBytes);
        ofGpus.put(gauge("gpu.used.bytes", "Memory of a GPU that all processes take"), Usage.Gpu::usedBytes);
        ofGpus.put(gauge("gpu.memory.bytes", "Memory of a GPU"), Usage.Gpu::totalBytes);
    }

    private MultiGauge gauge(String name, String description) {
        return MultiGauge.builder("rasterflow.node." + name)
                .description(description)
                .register(registry);
    }

    void update(List<Event.Usage> usages) {
        ofNodes.forEach((gauge, value) -> {
            List<MultiGauge.Row<?>> rows = new ArrayList<>();
            usages.forEach(usage -> add(rows, Tags.of("node", usage.node()), value.applyAsDouble(usage)));
            gauge.register(rows, true);
        });
        ofGpus.forEach((gauge, value) -> {
            List<MultiGauge.Row<?>> rows = new ArrayList<>();
            usages.forEach(usage -> usage.gpus()
                    .forEach(gpu -> add(
                            rows, Tags.of("node", usage.node(), "device", gpu.device()), value.applyAsDouble(gpu))));
            gauge.register(rows, true);
        });
    }

    private static void add(List<MultiGauge.Row<?>> rows, Tags tags, double value) {
        if (value >= 0) {
            rows.add(MultiGauge.Row.of(tags, value));
        }
    }
}
