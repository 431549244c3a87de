package io.rasterflow.monitoring.page;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.rasterflow.monitoring.event.Event;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** The input pipelines of the nodes, by stage, and the sources of the training images, as meters. */
final class InputMetrics {

    private final MeterRegistry registry;
    private final Set<Tags> known = new HashSet<>();
    private final Map<Tags, Event.Input.Stage> stages = new HashMap<>();
    private final Map<Tags, Event.Input.Source> sources = new HashMap<>();

    InputMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void update(List<Event.Input> inputs) {
        for (Event.Input input : inputs) {
            for (Event.Input.Stage stage : input.stages()) {
                Tags tags = Tags.of("node", input.node(), "stage", stage.name());
                stages.put(tags, stage);
                if (known.add(tags)) {
                    addStage(tags);
                }
            }
            for (Event.Input.Source source : input.sources()) {
                Tags tags = Tags.of("source", source.name());
                sources.merge(tags, source, (old, now) -> now.images() >= old.images() ? now : old);
                if (known.add(tags)) {
                    addSource(tags);
                }
            }
        }
    }

    private void addStage(Tags tags) {
        counter("rasterflow.input.items", "Shards, samples or batches that have passed a stage", tags, s -> stages.get(
                        tags)
                .items());
        counter("rasterflow.input.bytes", "Bytes that have passed a stage", tags, s -> stages.get(tags)
                .bytes());
        counter(
                "rasterflow.input.seconds",
                "Time that they spent in it together; per item the latency",
                tags,
                s -> stages.get(tags).seconds());
        gauge("rasterflow.input.depth", "Items in a stage now", tags, s -> stages.get(tags)
                .depth());
    }

    private void addSource(Tags tags) {
        counter("rasterflow.source.images", "Images of a source that the run has trained on", tags, s -> sources.get(
                        tags)
                .images());
        gauge("rasterflow.source.epoch", "Passes over a source", tags, s -> sources.get(tags)
                .epoch());
    }

    private void counter(String name, String description, Tags tags, ToDoubleFunction<InputMetrics> value) {
        FunctionCounter.builder(name, this, value)
                .description(description)
                .tags(tags)
                .register(registry);
    }

    private void gauge(String name, String description, Tags tags, ToDoubleFunction<InputMetrics> value) {
        Gauge.builder(name, this, value).description(description).tags(tags).register(registry);
    }
}
