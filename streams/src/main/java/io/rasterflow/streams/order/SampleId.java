package io.rasterflow.streams.order;

/**
 * One use of one sample.
 *
 * @param epoch pass over the data, 0-based
 * @param shard index in the data set's list of shards
 * @param sample index within the shard
 */
public record SampleId(long epoch, int shard, int sample) {}
