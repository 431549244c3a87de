package io.rasterflow.streams.order;

import java.util.Arrays;

/**
 * Global position → sample, as a pure function of (seed, shard counts, window).
 *
 * <p>N samples; position p belongs to epoch p / N. Each epoch permutes the shards, cuts the permuted list into windows of
 * {@code windowShards} shards, and permutes the samples inside each window: reading stays within a few shards at a time,
 * and every epoch is an exact cover of the data in another order. Memory is O(shards), never O(samples).
 */
public final class SampleOrder {

    private static final long SHARDS = 1;
    private static final long WINDOW = 2;
    private static final int PROBES_IN_SHARD = 8;
    private static final int SUBSTITUTE_DRAW = 1_000;

    private final long seed;
    private final int[] shardCounts;
    private final long[] shardStarts;
    private final int windowShards;
    private final long size;

    /** The last epoch that was asked for: consecutive positions mostly share it. */
    private volatile Epoch recent;

    /**
     * @param shardCounts samples in each shard
     * @param windowShards shards that are mixed with each other, at least 1
     */
    public SampleOrder(long seed, int[] shardCounts, int windowShards) {
        if (windowShards < 1) {
            throw new IllegalArgumentException("data.windowShards must be at least 1 but is " + windowShards);
        }
        this.seed = seed;
        this.shardCounts = shardCounts.clone();
        this.windowShards = windowShards;
        this.shardStarts = new long[shardCounts.length + 1];
        for (int s = 0; s < shardCounts.length; s++) {
            if (shardCounts[s] < 0) {
                throw new IllegalArgumentException("shard " + s + " has " + shardCounts[s] + " samples");
            }
            shardStarts[s + 1] = shardStarts[s] + shardCounts[s];
        }
        this.size = shardStarts[shardCounts.length];
        if (size == 0) {
            throw new IllegalArgumentException("the shards hold no samples; check data.train");
        }
    }

    /** Samples N in one epoch. */
    public long size() {
        return size;
    }

    /** The sample at a global position. */
    public SampleId at(long position) {
        if (position < 0) {
            throw new IndexOutOfBoundsException("position " + position);
        }
        long number = position / size;
        Epoch epoch = recent;
        if (epoch == null || epoch.number != number) {
            epoch = new Epoch(number);
            recent = epoch;
        }
        return epoch.at(position % size);
    }

    /** Running number of a sample in the data set, 0 … N-1, whatever the order. */
    public long sampleNumber(SampleId id) {
        return shardStarts[id.shard()] + id.sample();
    }

    /** The sample with a running number, as used in an epoch. */
    public SampleId sample(long epoch, long sampleNumber) {
        int shard = locate(shardStarts, sampleNumber);
        return new SampleId(epoch, shard, (int) (sampleNumber - shardStarts[shard]));
    }

    /**
     * The sample that stands in for one that cannot be decoded, as a pure function of that sample's generator: the first
     * probes stay in its shard, later ones go anywhere.
     *
     * @param random the generator of {@code id}
     * @param probe 0, 1, … until a sample is found that can be decoded
     */
    public SampleId substitute(SampleId id, CounterRandom random, int probe) {
        int draw = SUBSTITUTE_DRAW + probe;
        if (probe < PROBES_IN_SHARD) {
            return new SampleId(id.epoch(), id.shard(), (int) random.below(draw, shardCounts[id.shard()]));
        }
        return sample(id.epoch(), random.below(draw, size));
    }

    /** The last i with starts[i] ≤ value; skips empty shards because their start equals the next one. */
    private static int locate(long[] starts, long value) {
        int found = Arrays.binarySearch(starts, value);
        if (found < 0) {
            return -found - 2;
        }
        while (starts[found + 1] == value) {
            found++;
        }
        return found;
    }

    /** The permuted shards of one epoch with the prefix sums of their counts. */
    private final class Epoch {
        private final long number;
        private final int[] shards;
        private final long[] starts;
        private final KeyedPermutation[] windows;

        private Epoch(long number) {
            this.number = number;
            int n = shardCounts.length;
            long key = Mix.absorb(Mix.absorb(seed, number), SHARDS);
            KeyedPermutation permutation = new KeyedPermutation(n, key);
            this.shards = new int[n];
            this.starts = new long[n + 1];
            for (int i = 0; i < n; i++) {
                shards[i] = (int) permutation.apply(i);
                starts[i + 1] = starts[i] + shardCounts[shards[i]];
            }
            this.windows = new KeyedPermutation[(n + windowShards - 1) / windowShards];
            for (int w = 0; w < windows.length; w++) {
                long samples = windowStart(w + 1) - windowStart(w);
                long windowKey = Mix.absorb(Mix.absorb(Mix.absorb(seed, number), WINDOW), w);
                windows[w] = samples == 0 ? null : new KeyedPermutation(samples, windowKey);
            }
        }

        private long windowStart(int window) {
            return starts[(int) Math.min((long) window * windowShards, shards.length)];
        }

        private SampleId at(long offset) {
            int window = locate(starts, offset) / windowShards;
            long start = windowStart(window);
            long shuffled = start + windows[window].apply(offset - start);
            int i = locate(starts, shuffled);
            return new SampleId(number, shards[i], (int) (shuffled - starts[i]));
        }
    }
}
