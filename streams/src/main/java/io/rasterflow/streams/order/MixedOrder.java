package io.rasterflow.streams.order;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Global position → sample of several named sources, mixed in fixed proportions (El-Nouby et al. 2024, section 3, draw
 * 0.8 of the images from one source and 0.2 from another).
 *
 * <p>{@link MixtureWeights} turns the weights into whole numbers c_i. Positions are cut into blocks of B = Σ c_i, and each
 * block is permuted by a key of its own: slot j of block k becomes π_k(j), the range of counts that π_k(j) falls in names
 * the source, and the place in that range gives the position within the source.
 *
 * <pre>
 *  weights 0.5, 0.3, 0.2, drawn with B = 10   π(j) | 0 1 2 3 4 | 5 6 7 | 8 9 |
 *                                           source |     0     |   1   |  2  |
 *
 *  π(j) = 6 in block k: source 1, its position 3·k + (6 - 5)
 * </pre>
 *
 * <p>So each source's own positions 0, 1, 2, … are all used, once each and in order but for places inside a block, and
 * after any number of positions each source has had its share to within c_i·(B - c_i) / B positions. No state is kept: any
 * position is computed in O(1) by any rank.
 *
 * <p>Each source is a {@link SampleOrder} of its own, with a seed of its own that is made of the seed and its name. Adding a
 * source, or changing a weight, does not change the order within the others. The epoch of a {@link SampleId} is the pass
 * over its source. Shard numbers are global: those of source 0 first, then those of source 1, and so on; sample numbers
 * follow them.
 */
public final class MixedOrder implements Order {

    private static final long SOURCE = 3;
    private static final long BLOCK = 4;

    /**
     * One source of a mixture.
     *
     * @param name unique within the mixture; the source's order depends on it
     * @param weight share of the samples relative to the other sources, above 0; they need not sum to 1
     * @param shardCounts samples in each of its shards
     */
    @SuppressWarnings("ArrayRecordComponent") // read once, never compared
    public record Source(String name, double weight, int[] shardCounts) {}

    private final long seed;
    private final List<String> names;
    private final MixtureWeights weights;
    private final SampleOrder[] orders;
    private final int[] firstShards;
    private final long[] firstNumbers;

    /**
     * @param seed of the whole run
     * @param sources at least one
     * @param windowShards shards of a source that are mixed with each other, at least 1
     * @throws IllegalArgumentException one line that names {@code data.sources.NAME} and what is wrong with it
     */
    public MixedOrder(long seed, List<Source> sources, int windowShards) {
        this.seed = seed;
        this.names = sources.stream().map(Source::name).toList();
        requireNames(names);
        this.weights = MixtureWeights.of(
                names, sources.stream().mapToDouble(Source::weight).toArray());
        this.orders = new SampleOrder[sources.size()];
        this.firstShards = new int[sources.size() + 1];
        this.firstNumbers = new long[sources.size() + 1];
        for (int i = 0; i < orders.length; i++) {
            Source source = sources.get(i);
            if (Arrays.stream(source.shardCounts()).allMatch(count -> count == 0)) {
                throw new IllegalArgumentException(
                        "data.sources." + source.name() + " holds no samples; check its shards or remove the source");
            }
            orders[i] = new SampleOrder(sourceSeed(seed, source.name()), source.shardCounts(), windowShards);
            firstShards[i + 1] = Math.addExact(firstShards[i], orders[i].shards());
            firstNumbers[i + 1] = firstNumbers[i] + orders[i].size();
        }
    }

    private static void requireNames(List<String> names) {
        if (names.isEmpty()) {
            throw new IllegalArgumentException("data.sources is empty; name at least one source or use data.train");
        }
        Set<String> seen = new HashSet<>();
        for (String name : names) {
            if (name.isBlank()) {
                throw new IllegalArgumentException("data.sources has a source without a name; give each one a name");
            }
            if (!seen.add(name)) {
                throw new IllegalArgumentException(
                        "data.sources." + name + " is there twice; give each source a name of its own");
            }
        }
    }

    private static long sourceSeed(long seed, String name) {
        long hash = Mix.absorb(Mix.absorb(seed, SOURCE), name.length());
        for (int i = 0; i < name.length(); i++) {
            hash = Mix.absorb(hash, name.charAt(i));
        }
        return hash;
    }

    /** Number of sources. */
    public int sources() {
        return orders.length;
    }

    /** Name of a source. */
    public String name(int source) {
        return names.get(source);
    }

    /** The order of one source by itself, with shards and samples numbered from 0 within it. */
    public SampleOrder order(int source) {
        return orders[source];
    }

    /** The exact share of a source in the positions: its weight divided by the sum of all. */
    public double share(int source) {
        return (double) weights.count(source) / weights.block();
    }

    /** The source that a shard belongs to. */
    public int source(int shard) {
        if (shard < 0 || shard >= firstShards[orders.length]) {
            throw new IndexOutOfBoundsException("shard " + shard + " of " + firstShards[orders.length]);
        }
        int found = Arrays.binarySearch(firstShards, shard);
        return found >= 0 ? found : -found - 2;
    }

    /** The source that a sample comes from. */
    public int source(SampleId id) {
        return source(id.shard());
    }

    /**
     * How many of the first {@code positions} positions go to a source. Exact; takes one step for each position in the last,
     * unfinished block.
     */
    @Override
    public long positionsOf(int source, long positions) {
        if (positions < 0) {
            throw new IllegalArgumentException("positions must not be negative but is " + positions);
        }
        long block = positions / weights.block();
        long count = block * weights.count(source);
        long rest = positions % weights.block();
        KeyedPermutation slots = slots(block);
        for (long j = 0; j < rest; j++) {
            if (weights.sourceAt((int) slots.apply(j)) == source) {
                count++;
            }
        }
        return count;
    }

    @Override
    public int[] upcoming(long position, int ahead) {
        return IntStream.range(0, orders.length)
                .flatMap(source -> Arrays.stream(orders[source].upcoming(positionsOf(source, position), ahead))
                        .map(shard -> firstShards[source] + shard))
                .toArray();
    }

    /** How often a source has been passed over after the first {@code positions} positions; 1.5 is one and a half times. */
    public double epochs(int source, long positions) {
        return (double) positionsOf(source, positions) / orders[source].size();
    }

    /** Samples of all sources together. */
    @Override
    public long size() {
        return firstNumbers[orders.length];
    }

    @Override
    public SampleId at(long position) {
        if (position < 0) {
            throw new IndexOutOfBoundsException("position " + position);
        }
        long block = position / weights.block();
        int slot = (int) slots(block).apply(position % weights.block());
        int source = weights.sourceAt(slot);
        return global(source, orders[source].at(block * weights.count(source) + slot - weights.start(source)));
    }

    @Override
    public long sampleNumber(SampleId id) {
        int source = source(id);
        return firstNumbers[source] + orders[source].sampleNumber(local(source, id));
    }

    @Override
    public SampleId sample(long epoch, long sampleNumber) {
        if (sampleNumber < 0 || sampleNumber >= size()) {
            throw new IndexOutOfBoundsException("sample number " + sampleNumber + " of " + size());
        }
        int found = Arrays.binarySearch(firstNumbers, sampleNumber);
        int source = found >= 0 ? found : -found - 2;
        return global(source, orders[source].sample(epoch, sampleNumber - firstNumbers[source]));
    }

    /** Stays in the source of the sample that it stands in for. */
    @Override
    public SampleId substitute(SampleId id, CounterRandom random, int probe) {
        int source = source(id);
        return global(source, orders[source].substitute(local(source, id), random, probe));
    }

    private KeyedPermutation slots(long block) {
        return new KeyedPermutation(weights.block(), Mix.absorb(Mix.absorb(seed, block), BLOCK));
    }

    private SampleId global(int source, SampleId id) {
        return new SampleId(id.epoch(), firstShards[source] + id.shard(), id.sample());
    }

    private SampleId local(int source, SampleId id) {
        return new SampleId(id.epoch(), id.shard() - firstShards[source], id.sample());
    }
}
