package io.rasterflow.streams.shard;

import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.streams.memory.BufferPool;
import io.rasterflow.streams.metrics.PipelineMetrics;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.order.SampleId;
import java.io.IOException;
import java.util.List;

/** Encoded images that a stream takes in an order of theirs. Safe for use by many threads. */
public interface Samples extends AutoCloseable {

    /** Samples of one epoch. */
    long size();

    /** Where they come from, in the order of their shards. */
    List<DataSource> sources();

    /**
     * The order in which training takes the samples.
     *
     * @param windowShards shards of a source that are mixed with each other
     */
    Order order(long seed, int windowShards);

    /**
     * Reads one sample.
     *
     * @throws ShardFormatException if the sample is not whole, one line with shard and offset
     * @throws IOException if the shard cannot be had
     * @throws IllegalStateException after {@link #close}
     */
    RawSample read(SampleId id) throws IOException;

    /** Where a sample lies, without reading it. */
    SampleEntry entry(SampleId id) throws IOException;

    /** Name of a shard, for messages. */
    String shardName(int shard);

    /** Brings shards in before they are needed, in the given order, as far as that has not begun. Returns at once. */
    void prefetch(int[] upcoming);

    /** How many shards to bring in ahead of need. */
    int aheadShards();

    /**
     * Says that a run will go on at a position, if not later, and that nothing before it is needed any more.
     *
     * @param order of that run
     * @throws IOException if what it needs is there no more, or this cannot be written
     */
    void needFrom(long position, Order order) throws IOException;

    /** The native buffers of all batches that come from here. */
    BufferPool buffers();

    /** What has gone through the pipeline. */
    PipelineMetrics metrics();

    @Override
    void close() throws IOException;
}
