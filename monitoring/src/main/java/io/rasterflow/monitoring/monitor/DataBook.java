package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the nodes say of the data: input pipelines, sources, caches and bad samples. What becomes a curve over steps is asked
 * for at each step, and is empty when no node has spoken since.
 */
final class DataBook {

    /** What the names of the curves begin with. */
    static final String QUEUE = "queue.";

    static final String RATE = "rate.";
    static final String EPOCH = "epoch.";
    static final String HELD = "cache.held";
    static final String FETCHED = "cache.fetched";

    private static final int QUARANTINED = 50;
    /** Sources that have curves, the first ones; the others are only counted. */
    private static final int DRAWN_SOURCES = 16;

    private final Map<String, Event.Input> inputs = new TreeMap<>();
    private final Map<String, Event.Cache> caches = new TreeMap<>();
    private final Map<String, Event.Curated> curated = new TreeMap<>();
    private final QueueDepths queues = new QueueDepths();
    private final Map<String, Rates> sources = new HashMap<>();
    private final Rates fetched = new Rates();
    private final Newest<Event.BadSample> quarantine = new Newest<>(QUARANTINED);
    private final Thumbnails thumbnails = new Thumbnails();
    private final Map<String, Double> news = new LinkedHashMap<>();
    private long badSamples;

    void add(Event event) {
        if (event instanceof Event.Input input) {
            inputs.put(input.node(), input);
            queues.add(input);
            input.sources().stream().limit(DRAWN_SOURCES).forEach(source -> add(input, source));
        } else if (event instanceof Event.Cache cache) {
            caches.put(cache.node(), cache);
            fetched.add(cache.node(), cache.timeMillis(), cache.fetchedBytes());
            // Nodes of one machine share a folder, so their words are not added up.
            news(
                    HELD,
                    caches.values().stream()
                            .mapToLong(Event.Cache::heldBytes)
                            .max()
                            .orElse(0));
            news(FETCHED, fetched.sum());
        } else if (event instanceof Event.BadSample sample) {
            badSamples++;
            quarantine.add(sample);
        } else if (event instanceof Event.Curated source) {
            curated.put(source.source(), source);
        } else if (event instanceof Event.Thumbnail thumbnail) {
            thumbnails.add(thumbnail);
        }
    }

    /** Images are counted over the whole run: what any node says of them holds for all. */
    private void add(Event.Input input, Event.Input.Source source) {
        Rates rates = sources.computeIfAbsent(source.name(), unseen -> new Rates());
        news(RATE + source.name(), rates.add(input.node(), input.timeMillis(), source.images()));
        news(EPOCH + source.name(), source.epoch());
    }

    private void news(String curve, double value) {
        if (!Double.isNaN(value)) {
            news.put(curve, value);
        }
    }

    /** A node that has gone holds nothing any more. */
    void remove(String node) {
        queues.remove(node);
        caches.remove(node);
        fetched.remove(node);
        sources.values().forEach(rates -> rates.remove(node));
    }

    /** The run begins, perhaps again: the time in which it stood still is no part of a rate. */
    void restart() {
        sources.clear();
        fetched.clear();
        news.clear();
    }

    /** Values by the names of their curves. */
    Map<String, Double> news() {
        Map<String, Double> said = new LinkedHashMap<>();
        queues.news().forEach((stage, items) -> said.put(QUEUE + stage, items.doubleValue()));
        said.putAll(news);
        news.clear();
        return said;
    }

    /** The last word of each node on its input pipeline. */
    List<Event.Input> inputs() {
        return List.copyOf(inputs.values());
    }

    /** The last word of each node that is there on its cache. */
    List<Event.Cache> caches() {
        return List.copyOf(caches.values());
    }

    /** What was left out of each source, by their names; empty where nothing is curated. */
    List<Event.Curated> curated() {
        return List.copyOf(curated.values());
    }

    long badSamples() {
        return badSamples;
    }

    /** The last bad samples, the newest first. */
    List<Event.BadSample> quarantine() {
        return quarantine.list();
    }

    Thumbnails thumbnails() {
        return thumbnails;
    }
}
