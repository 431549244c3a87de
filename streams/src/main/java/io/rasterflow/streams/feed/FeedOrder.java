package io.rasterflow.streams.feed;

import io.rasterflow.streams.order.CounterRandom;
import io.rasterflow.streams.order.KeyedPermutation;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.order.SampleId;
import java.util.stream.IntStream;

/**
 * Global position → sample of a feed, as a pure function of (seed, S, W).
 *
 * <p>W consecutive shards of S samples are a window; position p is in window w = p / (W·S), whose samples are permuted by a
 * key of (seed, w). Every sample is used exactly once, at most 2·W·S positions from where it arrived; there is no end and the
 * epoch is always 0. A position can be read once its window's shards are sealed.
 */
public final class FeedOrder implements Order {

    private static final int KEY_DRAW = 0;
    private static final long KEY_STREAM = 0x46454544L;
    private static final int SUBSTITUTE_DRAW = 1_000;

    private final long seed;
    private final int shardSamples;
    private final int windowShards;
    private final long windowSamples;

    /** The last window that was asked for: consecutive positions mostly share it. */
    private volatile Window recent;

    private record Window(long number, KeyedPermutation permutation) {}

    /**
     * @param shardSamples S, as of {@link FeedReader#shardSamples}
     * @param windowShards W, at least 1
     */
    public FeedOrder(long seed, int shardSamples, int windowShards) {
        if (shardSamples < 1) {
            throw new IllegalArgumentException("a feed's shard samples must be at least 1 but are " + shardSamples);
        }
        if (windowShards < 1) {
            throw new IllegalArgumentException("data.windowShards must be at least 1 but is " + windowShards);
        }
        this.seed = seed;
        this.shardSamples = shardSamples;
        this.windowShards = windowShards;
        this.windowSamples = (long) windowShards * shardSamples;
    }

    /** There is no end: the most that there can be. */
    @Override
    public long size() {
        return Long.MAX_VALUE;
    }

    @Override
    public SampleId at(long position) {
        return sample(0, sequence(position));
    }

    /** The number of the sample at a position, 0 for the first that ever arrived. */
    public long sequence(long position) {
        if (position < 0) {
            throw new IndexOutOfBoundsException("position " + position);
        }
        long number = position / windowSamples;
        Window window = recent;
        if (window == null || window.number != number) {
            long key = CounterRandom.of(seed, KEY_STREAM, number).bits(KEY_DRAW);
            window = new Window(number, new KeyedPermutation(windowSamples, key));
            recent = window;
        }
        return number * windowSamples + window.permutation.apply(position % windowSamples);
    }

    /** The oldest shard that positions from {@code position} on use: what a consumer there still needs. */
    public long firstShard(long position) {
        return position / windowSamples * windowShards;
    }

    /** The first position whose window lies wholly in shards from {@code oldestShard} on. */
    public long firstPosition(long oldestShard) {
        return (oldestShard + windowShards - 1) / windowShards * windowSamples;
    }

    /** The number of a sample. */
    @Override
    public long sampleNumber(SampleId id) {
        return (long) id.shard() * shardSamples + id.sample();
    }

    @Override
    public SampleId sample(long epoch, long sampleNumber) {
        return new SampleId(epoch, Math.toIntExact(sampleNumber / shardSamples), (int) (sampleNumber % shardSamples));
    }

    /** Another sample of the same window, which can be read already. */
    @Override
    public SampleId substitute(SampleId id, CounterRandom random, int probe) {
        long first = firstShard(sampleNumber(id)) * shardSamples;
        return sample(id.epoch(), first + random.below(SUBSTITUTE_DRAW + probe, windowSamples));
    }

    @Override
    public int[] upcoming(long position, int ahead) {
        int first = Math.toIntExact(firstShard(position));
        return IntStream.range(first, first + windowShards + ahead).toArray();
    }

    /** All of them: a feed is one source. */
    @Override
    public long positionsOf(int source, long positions) {
        if (source != 0) {
            throw new IndexOutOfBoundsException("source " + source + " of a feed, which has one");
        }
        return positions;
    }
}
