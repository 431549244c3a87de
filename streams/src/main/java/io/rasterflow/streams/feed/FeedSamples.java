package io.rasterflow.streams.feed;

import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.streams.memory.BufferPool;
import io.rasterflow.streams.metrics.PipelineMetrics;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.order.SampleId;
import io.rasterflow.streams.shard.DataSource;
import io.rasterflow.streams.shard.RawSample;
import io.rasterflow.streams.shard.Samples;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A feed as training takes it: shards without an end, each of which can be read once it is complete. A run keeps from the
 * receiver's deleting what it may still need: everything since its last checkpoint.
 */
public final class FeedSamples implements Samples {

    private static final String SOURCE = "feed";

    private final Path directory;
    private final FeedReader reader;
    private final String consumer;
    private final BufferPool buffers = new BufferPool();
    private final PipelineMetrics metrics = new PipelineMetrics();

    private FeedSamples(Path directory, FeedReader reader, String consumer) {
        this.directory = directory;
        this.reader = reader;
        this.consumer = consumer;
    }

    /**
     * Opens a feed that a receiver has made.
     *
     * @param run name of the consumer; what is not a letter, digit, {@code .} or {@code -} becomes {@code _}
     * @throws IOException one line that names the folder, if there is no feed or it cannot be read
     */
    public static FeedSamples open(FeedSourceConfig config, String run) throws IOException {
        Path directory = Path.of(config.directory());
        String consumer = run.replaceAll("[^A-Za-z0-9.-]", "_");
        return new FeedSamples(
                directory, FeedReader.open(directory, Duration.ofMillis(config.silenceMillis())), consumer);
    }

    /** There is no end: the most that there can be. */
    @Override
    public long size() {
        return Long.MAX_VALUE;
    }

    @Override
    public List<DataSource> sources() {
        return List.of(new DataSource(SOURCE, 1, 0, new int[0]));
    }

    @Override
    public Order order(long seed, int windowShards) {
        return new FeedOrder(seed, reader.shardSamples(), windowShards);
    }

    @Override
    public RawSample read(SampleId id) throws IOException {
        FeedSample sample = sample(id);
        return new RawSample(sample.image(), sample.label(), sample.key(), sample.sequence());
    }

    /** Samples of a feed have no offset that means anything: their number stands for it. */
    @Override
    public SampleEntry entry(SampleId id) throws IOException {
        try {
            FeedSample sample = reader.read(id.shard(), id.sample());
            return new SampleEntry(sample.key(), sample.sequence(), sample.image().length, sample.label());
        } catch (DamagedSampleException e) {
            return new SampleEntry(Long.toString(e.sequence()), e.sequence(), 0, SampleEntry.NO_LABEL);
        }
    }

    private FeedSample sample(SampleId id) throws IOException {
        try {
            return reader.read(id.shard(), id.sample());
        } catch (DamagedSampleException e) {
            throw new ShardFormatException(shardName(id.shard()), e.sequence(), e.getMessage(), "check the disk");
        }
    }

    @Override
    public String shardName(int shard) {
        return directory + " shard " + shard;
    }

    /** Samples come by themselves. */
    @Override
    public void prefetch(int[] upcoming) {}

    @Override
    public int aheadShards() {
        return 0;
    }

    @Override
    public void needFrom(long position, Order order) throws IOException {
        FeedConsumer.register(directory, consumer, position, ((FeedOrder) order).firstShard(position));
    }

    @Override
    public BufferPool buffers() {
        return buffers;
    }

    @Override
    public PipelineMetrics metrics() {
        return metrics;
    }

    @Override
    public void close() {
        reader.close();
    }
}
