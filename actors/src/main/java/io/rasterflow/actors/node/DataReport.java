package io.rasterflow.actors.node;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.LeftOut;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Says what is known of the training images before one of them is read. */
final class DataReport {

    private static final int SHARDS = 10;
    private static final int PAIRS = 20;

    private DataReport() {}

    /** Tells of shards that are cut or damaged, of which the rest is used, and of what curation left out. */
    static void tell(String node, DataSet images, Telemetry telemetry) {
        long now = System.currentTimeMillis();
        images.damages()
                .forEach((shard, damage) -> telemetry.record(new Event.BadSample(
                        now,
                        node,
                        -1,
                        images.shardName(shard),
                        damage.offset(),
                        "",
                        -1,
                        "the shard is damaged from there on, the samples before are used: " + damage.fault(),
                        "")));
        images.leftOut().forEach(source -> telemetry.record(curated(now, node, source)));
    }

    private static Event.Curated curated(long now, String node, LeftOut source) {
        List<Event.Curated.Shard> most = source.duplicates().entrySet().stream()
                .sorted(Map.Entry.comparingByValue(Comparator.reverseOrder()))
                .limit(SHARDS)
                .map(shard -> new Event.Curated.Shard(shard.getKey(), shard.getValue()))
                .toList();
        List<Event.Curated.Pair> pairs = source.pairs().stream()
                .limit(PAIRS)
                .map(pair -> new Event.Curated.Pair(
                        pair.shard(),
                        pair.images().leftOut(),
                        pair.images().kept(),
                        pair.images().bits()))
                .toList();
        return new Event.Curated(
                now,
                node,
                source.source().name(),
                source.shards(),
                source.source().samples(),
                source.causes(),
                most,
                pairs);
    }
}
