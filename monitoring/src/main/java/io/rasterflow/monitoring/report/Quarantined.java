package io.rasterflow.monitoring.report;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Thumbnails;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The samples that could not be used: counted by cause and shard, and the first of them one by one. */
final class Quarantined {

    private static final int LISTED = 50;
    /** Different causes or shards beyond these are counted together. */
    private static final int KINDS = 1_000;

    private static final String OTHERS = "others";

    private final Map<String, Long> causes = new LinkedHashMap<>();
    private final Map<String, Long> shards = new LinkedHashMap<>();
    private final List<Event.BadSample> first = new ArrayList<>();
    private final Thumbnails thumbnails = new Thumbnails();
    private long count;

    void add(Event.BadSample sample) {
        count++;
        add(causes, sample.cause());
        add(shards, sample.shard());
        if (first.size() < LISTED) {
            first.add(sample);
        }
    }

    void add(Event.Thumbnail thumbnail) {
        thumbnails.add(thumbnail);
    }

    private static void add(Map<String, Long> counts, String name) {
        boolean known = counts.containsKey(name) || counts.size() < KINDS;
        counts.merge(known ? name : OTHERS, 1L, Long::sum);
    }

    long count() {
        return count;
    }

    /** Samples by cause, the most frequent first. */
    List<Map.Entry<String, Long>> causes() {
        return sorted(causes);
    }

    /** Samples by shard, the most frequent first. */
    List<Map.Entry<String, Long>> shards() {
        return sorted(shards);
    }

    private static List<Map.Entry<String, Long>> sorted(Map<String, Long> counts) {
        return counts.entrySet().stream()
                .sorted(Map.Entry.<String, Long>comparingByValue(Comparator.reverseOrder()))
                .toList();
    }

    /** What a sample looks like, as a PNG, if anything of it could be decoded. */
    Optional<byte[]> picture(Event.BadSample sample) {
        return thumbnails.png(Thumbnails.name(sample.shard(), sample.key()));
    }

    /** The first of them. */
    List<Event.BadSample> first() {
        return List.copyOf(first);
    }
}
