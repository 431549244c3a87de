package io.rasterflow.streams.batch;

/**
 * A sample that was skipped.
 *
 * @param shard shard as it was named in the configuration
 * @param offset byte offset of the sample in the (uncompressed) shard
 * @param key sample key within the shard
 * @param position global position that a substitute fills
 * @param cause one line
 */
public record BadSample(String shard, long offset, String key, long position, String cause) {}
