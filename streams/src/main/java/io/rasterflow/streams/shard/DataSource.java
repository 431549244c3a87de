package io.rasterflow.streams.shard;

import java.util.Arrays;

/**
 * A source of a data set.
 *
 * @param weight its part of the positions, relative to the other sources
 * @param firstShard number of its first shard in the data set
 * @param counts samples in each of its shards
 */
@SuppressWarnings("ArrayRecordComponent") // read by its own package, never compared
public record DataSource(String name, double weight, int firstShard, int[] counts) {

    /** Samples in all its shards. */
    public long samples() {
        return Arrays.stream(counts).asLongStream().sum();
    }
}
