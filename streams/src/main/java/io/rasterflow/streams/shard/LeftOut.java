package io.rasterflow.streams.shard;

import io.rasterflow.streams.curate.NearDuplicate;
import java.util.List;
import java.util.SortedMap;

/**
 * What was left out of the shards of a source when they were indexed.
 *
 * @param causes samples that are not used, by cause
 * @param duplicates near-duplicates in each shard that has some, by its name
 * @param pairs some of them, and what they are like; no pair where an older program made the index
 */
public record LeftOut(
        DataSource source,
        int shards,
        SortedMap<String, Long> causes,
        SortedMap<String, Integer> duplicates,
        List<Pair> pairs) {

    /** A pair of a shard. */
    public record Pair(String shard, NearDuplicate images) {}
}
