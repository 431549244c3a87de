package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * The ring form of one rank: every rank sends to the next one only, chunk by chunk, and all chunks are on their way at
 * once. Slice j of a bucket starts at rank j + 1, each rank on the way adds its own sum, and rank j, the last, has the whole;
 * from there it goes round once more:
 *
 * <pre>
 *   W = 4, slice 0:   rank 1  --g1--&gt;  rank 2  --g1+g2--&gt;  rank 3  --(g1+g2)+g3--&gt;  rank 0        PARTIAL, index 0
 *                     rank 0  --sum--&gt; rank 1  --sum--&gt;    rank 2  --sum--&gt;         rank 3        REDUCED, index 0
 * </pre>
 *
 * <p>Each rank sends and receives 2·(W-1)/W gradients whatever W is, and its addends need one gradient of memory rather than
 * one slice per peer and subtree. The sum is the same at all ranks and for every run of a world size, but other world sizes
 * give other bits.
 *
 * <p>Why nothing is overwritten too early: what a rank forwards of slice j has been received when slice j is complete, and
 * its neighbour begins step s + 1 only when it holds all slices of step s; so {@code staging} is free then. A finished chunk
 * of step s + 1 needs a contribution of every rank, each of which held step s; so {@code finished} is. What the caller is
 * given is a copy. Methods marked so are called under the exchange's lock; the others do the sums outside of it.
 */
final class Ring {

    private final ReductionPlan plan;
    private final int rank;
    private final int slots;
    private final List<ByteBuffer> staging = new ArrayList<>();
    private final List<ByteBuffer> finished = new ArrayList<>();

    // By bucket. The calling thread writes the first two before the third is set under the lock.
    private final ByteBuffer[] own;
    private final int[] slotsMissing;
    private final boolean[] ownReady;
    private final BitSet[] waiting;
    private final long[][] lastStep;

    Ring(ReductionPlan plan, int rank) {
        int buckets = plan.buckets().size();
        this.plan = plan;
        this.rank = rank;
        this.slots =
                (int) plan.slots().stream().filter(slot -> slot.rank() == rank).count();
        this.own = new ByteBuffer[buckets];
        this.slotsMissing = new int[buckets];
        this.ownReady = new boolean[buckets];
        this.waiting = new BitSet[buckets];
        this.lastStep = new long[buckets][];
        for (Slices slices : plan.buckets()) {
            staging.add(FloatSums.allocate(slices.floats()));
            finished.add(FloatSums.allocate(slices.floats()));
            waiting[slices.bucket()] = new BitSet();
            lastStep[slices.bucket()] = new long[plan.worldSize() * chunksPerSlice(slices)];
            Arrays.fill(lastStep[slices.bucket()], StepBoard.NONE);
        }
    }

    /** A chunk of a slice of a bucket. */
    record Chunk(int bucket, int slice, int number) {}

    private static int chunksPerSlice(Slices slices) {
        int most = 0;
        for (int slice = 0; slice < slices.worldSize(); slice++) {
            most = Math.max(most, slices.chunks(slice));
        }
        return most;
    }

    int next() {
        return (rank + 1) % plan.worldSize();
    }

    private int previous() {
        return (rank + plan.worldSize() - 1) % plan.worldSize();
    }

    /** Under the lock. */
    void begin() {
        Arrays.fill(slotsMissing, slots);
        Arrays.fill(ownReady, false);
    }

    /** Where a partial sum goes that comes over a socket; under the lock. */
    ByteBuffer target(int peer, FrameHeader header) {
        Chunk chunk = chunk(peer, header);
        if (chunk.slice() == previous()) {
            throw new ExchangeException("corrupt frame: slice " + chunk.slice() + " begins at rank " + rank);
        }
        return view(staging, chunk);
    }

    /** The chunk of a frame that must come from the neighbour. */
    Chunk chunk(int peer, FrameHeader header) {
        Slices slices = plan.bucket(header);
        if (peer != previous() || header.index() < 0 || header.index() >= plan.worldSize()) {
            throw new ExchangeException(
                    "corrupt frame: slice " + header.index() + " comes from rank " + peer + ", not " + previous());
        }
        return new Chunk(slices.bucket(), header.index(), slices.chunkOf(header.index(), header));
    }

    /** Where a partial sum is added up and the neighbour is sent it from. */
    ByteBuffer staged(Chunk chunk) {
        return view(staging, chunk);
    }

    /**
     * Notes a partial sum; under the lock.
     *
     * @param current whether it belongs to the step that this rank is in
     * @return whether this rank's addend is there, so that {@link #add} follows; otherwise it waits
     */
    boolean arrived(Chunk chunk, long step, boolean current) {
        int index = index(chunk);
        if (lastStep[chunk.bucket()][index] >= step) {
            throw new ExchangeException("a partial sum of chunk " + chunk.number() + " of slice " + chunk.slice()
                    + " of step " + step + " came twice");
        }
        lastStep[chunk.bucket()][index] = step;
        if (current && ownReady[chunk.bucket()]) {
            return true;
        }
        waiting[chunk.bucket()].set(index);
        return false;
    }

    private int index(Chunk chunk) {
        return chunk.slice() * (lastStep[chunk.bucket()].length / plan.worldSize()) + chunk.number();
    }

    /**
     * Takes one of this rank's partial sums, on the calling thread; they are added from the left.
     *
     * @return whether that was the bucket's last
     */
    boolean contribute(int bucket, ByteBuffer sum) {
        if (slotsMissing[bucket] == slots) {
            own[bucket] = sum;
        } else {
            FloatSums.add(own[bucket].asFloatBuffer(), sum.asFloatBuffer());
        }
        return --slotsMissing[bucket] == 0;
    }

    /** This rank's sum of a bucket is complete: what has waited for it; under the lock. */
    List<Chunk> ownReady(int bucket) {
        ownReady[bucket] = true;
        int perSlice = lastStep[bucket].length / plan.worldSize();
        List<Chunk> chunks = waiting[bucket].stream()
                .mapToObj(index -> new Chunk(bucket, index / perSlice, index % perSlice))
                .toList();
        waiting[bucket].clear();
        return chunks;
    }

    /** The chunks of a bucket that begin at this rank. */
    List<Chunk> first(int bucket) {
        List<Chunk> chunks = new ArrayList<>();
        for (int number = 0; number < plan.buckets().get(bucket).chunks(previous()); number++) {
            chunks.add(new Chunk(bucket, previous(), number));
        }
        return chunks;
    }

    /** This rank's own values of a chunk. */
    ByteBuffer own(Chunk chunk) {
        return view(Arrays.asList(own), chunk);
    }

    /** Adds this rank's values to a partial sum that has arrived. */
    ByteBuffer add(Chunk chunk) {
        ByteBuffer sum = view(staging, chunk);
        boolean rounded = plan.config().wire() == ExchangeConfig.Wire.BF16;
        FloatSums.add(sum.asFloatBuffer(), own(chunk).asFloatBuffer(), rounded);
        return sum;
    }

    /** Where a finished chunk is kept and the neighbour is sent it from. */
    ByteBuffer finished(Chunk chunk) {
        return view(finished, chunk);
    }

    private ByteBuffer view(List<ByteBuffer> buckets, Chunk chunk) {
        Slices slices = plan.buckets().get(chunk.bucket());
        return FloatSums.view(
                buckets.get(chunk.bucket()),
                slices.chunkStart(chunk.slice(), chunk.number()),
                slices.chunkLength(chunk.slice(), chunk.number()));
    }
}
