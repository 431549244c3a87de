package io.rasterflow.streams.shard;

import io.rasterflow.streams.storage.StorageMetrics;

/**
 * A cache of shards at one moment. Counts begin when its data set was opened, and are of this process alone.
 *
 * @param heldBytes of the shards in the folder, parts of them included, whichever process brought them in
 * @param shards in the folder
 * @param hits times that a shard was asked for and was there
 * @param misses times that it had to be brought in first
 * @param evictions shards that went to make room
 * @param filling shards that are being brought in now
 * @param fetched what was asked of the stores, in all
 */
public record CacheUsage(
        CacheConfig config,
        long heldBytes,
        int shards,
        long hits,
        long misses,
        long evictions,
        long filling,
        StorageMetrics.Counts fetched) {}
