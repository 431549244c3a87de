package io.rasterflow.streams.shard;

/**
 * One sample as it lies in its shard.
 *
 * @param bytes the encoded image; the caller's own
 * @param label class, -1 if it has none
 * @param key name within the shard
 * @param offset of the image in the uncompressed shard
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record RawSample(byte[] bytes, int label, String key, long offset) {}
