package io.rasterflow.streams.order;

/**
 * Global position → sample, as a pure function: the same for every rank, thread and resumed run. Shards are numbered over
 * all the data. Safe for use by many threads.
 */
public interface Order {

    /** Samples in all shards together. */
    long size();

    /**
     * The sample at a global position.
     *
     * @throws IndexOutOfBoundsException if the position is negative
     */
    SampleId at(long position);

    /** Running number of a sample in the data set, 0 … {@link #size}-1, whatever the order. */
    long sampleNumber(SampleId id);

    /** The sample with a running number, as used in an epoch. */
    SampleId sample(long epoch, long sampleNumber);

    /**
     * The sample that stands in for one that cannot be decoded, as a pure function of that sample's generator: the first
     * probes stay in its shard, later ones go to any shard of the data that it is mixed with.
     *
     * @param random the generator of {@code id}
     * @param probe 0, 1, … until a sample is found that can be decoded
     */
    SampleId substitute(SampleId id, CounterRandom random, int probe);

    /**
     * The shards that are needed from a position on, in the order of need: those that are mixed with each other there, then
     * the following ones.
     *
     * @param ahead how many following ones, of each source
     */
    int[] upcoming(long position, int ahead);

    /** How many of the first {@code positions} positions go to a source, 0 for the first; exact. */
    long positionsOf(int source, long positions);
}
