package io.rasterflow.monitoring.page;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.rasterflow.monitoring.event.Event.Cache;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/**
 * The nodes' caches of shards, as meters. What is counted begins anew with a node, and a node that is gone leaves no series.
 * Nodes of one machine may share a folder: its sizes are then said by each of them, with the same {@code directory}.
 */
final class CacheMetrics {

    /** A meter: how it is named, what it says, where it is had from. */
    private record Part(String name, String description, ToDoubleFunction<Cache> value) {}

    private static final List<Part> COUNTED = List.of(
            new Part("hits", "Times that a shard was asked for and was in the cache", Cache::hits),
            new Part("misses", "Times that a shard had to be brought into the cache first", Cache::misses),
            new Part("evictions", "Shards that went to make room", Cache::evictions),
            new Part("fetched.bytes", "Bytes that came from elsewhere", Cache::fetchedBytes),
            new Part("retries", "Requests that followed a failed one", Cache::retries));

    private static final List<Part> STANDING = List.of(
            new Part("held.bytes", "Bytes of the shards in the folder, whoever brought them", Cache::heldBytes),
            new Part("limit.bytes", "Bytes that they may have; 0 is any number", Cache::limitBytes),
            new Part("shards", "Shards in the folder", Cache::shards),
            new Part("filling.shards", "Shards that are being brought in", Cache::filling),
            new Part(
                    "hit.ratio",
                    "Share of the shards asked for that were there, since the node started",
                    cache -> (double) cache.hits() / (cache.hits() + cache.misses())));

    private final MeterRegistry registry;
    private final Map<Part, MultiGauge> gauges = new LinkedHashMap<>();
    private final Map<Tags, List<FunctionCounter>> counters = new HashMap<>();
    private Map<Tags, Cache> caches = Map.of();

    CacheMetrics(MeterRegistry registry) {
        this.registry = registry;
        STANDING.forEach(part -> gauges.put(
                part,
                MultiGauge.builder("rasterflow.cache." + part.name())
                        .description(part.description())
                        .register(registry)));
    }

    void update(List<Cache> words) {
        Map<Tags, Cache> now = new LinkedHashMap<>();
        words.forEach(cache -> now.put(Tags.of("node", cache.node(), "directory", cache.directory()), cache));
        caches = now;
        counters.entrySet().removeIf(known -> {
            boolean gone = !now.containsKey(known.getKey());
            if (gone) {
                known.getValue().forEach(registry::remove);
            }
            return gone;
        });
        now.keySet().forEach(tags -> counters.computeIfAbsent(tags, this::count));
        gauges.forEach((part, gauge) -> gauge.register(
                now.entrySet().stream()
                        .filter(cache -> Double.isFinite(part.value().applyAsDouble(cache.getValue())))
                        .map(cache ->
                                MultiGauge.Row.of(cache.getKey(), part.value().applyAsDouble(cache.getValue())))
                        .toList(),
                true));
    }

    private List<FunctionCounter> count(Tags tags) {
        return COUNTED.stream()
                .map(part -> FunctionCounter.builder("rasterflow.cache." + part.name(), this, metrics -> part.value()
                                .applyAsDouble(Objects.requireNonNull(metrics.caches.get(tags))))
                        .description(part.description())
                        .tags(tags)
                        .register(registry))
                .toList();
    }
}
