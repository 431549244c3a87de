package io.rasterflow.streams.order;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Global position → sample, as a pure function of (seed, shard counts, window).
 *
 * <p>N samples; position p belongs to epoch p / N. Each epoch permutes the shards, cuts the permuted list into windows of
 * W = {@code windowShards} shards, and permutes the samples inside each window: reading stays within a few shards at a
 * time, and every epoch is an exact cover of the data in another order.
 *
 * <pre>
 *  epoch    | shards, permuted:   7  2  0 | 5  1  6 | 3  4     (W = 3)
 *  position | 0 ..... permuted in here .. | ....... | ..... N-1
 * </pre>
 *
 * <p>With shards of equal size, W shards' worth of consecutive positions touch at most 2·W shards within an epoch, and at
 * most 3·W - 1 across its end if the last window is a shorter one.
 *
 * <p>Memory in bytes per shard, however many samples it holds: 8, and for each of the two latest epochs 8 / W; besides, 12
 * for each shard of the two latest windows of each. Any position can be asked for first: that costs O(shards) once per
 * epoch (below 0.1 s for a million shards) and O(W) once per window.
 */
public final class SampleOrder implements Order {

    private static final long SHARDS = 1;
    private static final long WINDOW = 2;
    private static final int PROBES_IN_SHARD = 8;
    private static final int SUBSTITUTE_DRAW = 1_000;

    private final long seed;
    private final long[] shardStarts;
    private final int windowShards;
    private final long size;
    private final LastTwo<Epoch> epochs = new LastTwo<>();

    /**
     * @param shardCounts samples in each shard
     * @param windowShards shards that are mixed with each other, at least 1
     */
    public SampleOrder(long seed, int[] shardCounts, int windowShards) {
        if (windowShards < 1) {
            throw new IllegalArgumentException("data.windowShards must be at least 1 but is " + windowShards);
        }
        this.seed = seed;
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
    @Override
    public long size() {
        return size;
    }

    /** Number of shards. */
    public int shards() {
        return shardStarts.length - 1;
    }

    /** Samples in a shard. */
    public int shardSize(int shard) {
        return (int) (shardStarts[shard + 1] - shardStarts[shard]);
    }

    @Override
    public SampleId at(long position) {
        if (position < 0) {
            throw new IndexOutOfBoundsException("position " + position);
        }
        return epochs.get(position / size, Epoch::new).at(position % size);
    }

    @Override
    public long sampleNumber(SampleId id) {
        return shardStarts[id.shard()] + id.sample();
    }

    @Override
    public SampleId sample(long epoch, long sampleNumber) {
        int shard = locate(shardStarts, sampleNumber);
        return new SampleId(epoch, shard, (int) (sampleNumber - shardStarts[shard]));
    }

    @Override
    public SampleId substitute(SampleId id, CounterRandom random, int probe) {
        int draw = SUBSTITUTE_DRAW + probe;
        if (probe < PROBES_IN_SHARD) {
            return new SampleId(id.epoch(), id.shard(), (int) random.below(draw, shardSize(id.shard())));
        }
        return sample(id.epoch(), random.below(draw, size));
    }

    @Override
    public int[] upcoming(long position, int ahead) {
        Set<Integer> found = new LinkedHashSet<>();
        long number = position / size;
        Epoch epoch = epochs.get(number, Epoch::new);
        int first = locate(epoch.windowStarts, position % size) * windowShards;
        int end = Math.min(shards(), first + windowShards);
        int wanted = Math.min(shards(), end - first + ahead);
        for (int i = first; found.size() < wanted && i < 2 * shards(); i++) {
            if (i == shards()) {
                epoch = epochs.get(number + 1, Epoch::new);
            }
            found.add((int) epoch.shards.apply(i % shards()));
        }
        return found.stream().mapToInt(Integer::intValue).toArray();
    }

    @Override
    public long positionsOf(int source, long positions) {
        if (source != 0) {
            throw new IndexOutOfBoundsException("source " + source + " of 1");
        }
        return positions;
    }

    /** The last i with starts[i] ≤ value; skips empty ranges because their start equals the next one. */
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

    /** The permutation of the shards in one epoch, and where each window of them starts. */
    private final class Epoch {
        private final long number;
        private final KeyedPermutation shards;
        private final long[] windowStarts;
        private final LastTwo<Window> windows = new LastTwo<>();

        private Epoch(long number) {
            this.number = number;
            int n = shards();
            this.shards = new KeyedPermutation(n, Mix.absorb(Mix.absorb(seed, number), SHARDS));
            this.windowStarts = new long[1 + (n - 1) / windowShards + 1];
            long start = 0;
            for (int i = 0; i < n; i++) {
                start += shardSize((int) shards.apply(i));
                windowStarts[i / windowShards + 1] = start;
            }
        }

        private SampleId at(long offset) {
            int window = locate(windowStarts, offset);
            return windows.get(window, this::window).at(offset - windowStarts[window]);
        }

        private Window window(long window) {
            int first = Math.multiplyExact((int) window, windowShards);
            return new Window(this, window, first, Math.min(windowShards, shards() - first));
        }
    }

    /** The shards of one window in their permuted order, and the permutation of all their samples. */
    private final class Window {
        private final long epoch;
        private final int[] shards;
        private final long[] starts;
        private final KeyedPermutation samples;

        private Window(Epoch epoch, long number, int first, int count) {
            this.epoch = epoch.number;
            this.shards = new int[count];
            this.starts = new long[count + 1];
            for (int i = 0; i < count; i++) {
                shards[i] = (int) epoch.shards.apply(first + i);
                starts[i + 1] = starts[i] + shardSize(shards[i]);
            }
            long key = Mix.absorb(Mix.absorb(Mix.absorb(seed, epoch.number), WINDOW), number);
            this.samples = new KeyedPermutation(starts[count], key);
        }

        private SampleId at(long offset) {
            long shuffled = samples.apply(offset);
            int i = locate(starts, shuffled);
            return new SampleId(epoch, shards[i], (int) (shuffled - starts[i]));
        }
    }
}
