package io.rasterflow.streams.shard;

import java.nio.file.Path;

/**
 * The local cache of shards, {@code data.cache} of the configuration. Processes of one machine share it.
 *
 * @param directory folder for indexes, and for the shards that cannot be read where they lie: remote, compressed, parquet, IDX
 * @param bytes limit on those shards together, in bytes; 0 for none. Shards that are being brought in come on top
 * @param aheadShards shards that are brought in before they are needed
 * @param threads shards that are brought in at the same time
 * @param lockMillis how long to wait for another process that brings in the same shard
 */
public record CacheConfig(String directory, long bytes, int aheadShards, int threads, long lockMillis) {

    private static final long DEFAULT_BYTES = 100_000_000_000L;
    private static final long DEFAULT_LOCK_MILLIS = 1_800_000;

    public CacheConfig {
        require(!directory.isBlank(), "data.cache.directory is empty; name a folder");
        require(bytes >= 0, "data.cache.bytes must be at least 0 but is " + bytes);
        require(
                aheadShards >= 0 && aheadShards <= 10_000,
                "data.cache.aheadShards must be between 0 and 10000 but is " + aheadShards);
        require(threads >= 1 && threads <= 256, "data.cache.threads must be between 1 and 256 but is " + threads);
        require(lockMillis >= 1, "data.cache.lockMillis must be at least 1 but is " + lockMillis);
    }

    /** The defaults in a folder. */
    public static CacheConfig in(Path directory) {
        return new CacheConfig(directory.toString(), DEFAULT_BYTES, 4, 4, DEFAULT_LOCK_MILLIS);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
