package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * The owner's side of the reduce-scatter: collects every slot's share of one rank's slice of a bucket and adds them chunk by chunk,
 * each chunk as soon as all its addends are there.
 *
 * <p>One buffer per slot is enough although a fast peer may be one step ahead: it begins step s + 1 only when it holds
 * all of step s, this slice included, so every addend of step s has been read by then. A peer that breaks this is
 * rejected. All methods but {@link #sum} are called under the exchange's lock.
 */
final class SliceReducer {

    private static final long NONE = Long.MIN_VALUE;

    private final ReductionPlan plan;
    private final Slices slices;
    private final int rank;
    private final int chunks;
    private final ByteBuffer[] staging;
    private final FloatBuffer[] sources;
    private final boolean[] sent;
    private final long[] slotStep;
    private final int[] slotNext;
    private final long[] chunkStep;
    private final int[] chunkMissing;

    SliceReducer(ReductionPlan plan, Slices slices, int rank) {
        this.plan = plan;
        this.slices = slices;
        this.rank = rank;
        this.chunks = slices.chunks(rank);
        int slots = plan.slots().size();
        this.staging = new ByteBuffer[slots];
        this.sources = new FloatBuffer[slots];
        this.sent = new boolean[slots];
        this.slotStep = new long[slots];
        this.slotNext = new int[slots];
        this.chunkStep = new long[chunks];
        this.chunkMissing = new int[chunks];
        Arrays.fill(slotStep, NONE);
        Arrays.fill(chunkMissing, slots);
    }

    /** Makes room for what comes over a socket; there is none for peers whose memory is read. */
    private void stage(int slot) {
        if (staging[slot] == null) {
            staging[slot] = FloatSums.allocate(slices.length(rank));
            sources[slot] = staging[slot].asFloatBuffer();
            sent[slot] = true;
        }
    }

    /** Where a chunk that comes over a socket goes. */
    ByteBuffer target(int peer, FrameHeader header) {
        int slot = header.index();
        requireSlot(peer, slot);
        int chunk = slices.chunkOf(rank, header);
        check(slot, header.step(), chunk);
        stage(slot);
        return FloatSums.view(staging[slot], header.offset(), slices.chunkLength(rank, chunk));
    }

    void requireSlot(int peer, int slot) {
        if (slot < 0 || slot >= plan.slots().size() || plan.slots().get(slot).rank() != peer) {
            throw new ExchangeException("corrupt frame: slot " + slot + " is not one of rank " + peer);
        }
    }

    /** A slot's values are in memory that this process can read. */
    void source(int slot, ByteBuffer slice) {
        sources[slot] = slice.asFloatBuffer();
    }

    /** Notes the arrival of a slot's chunk; whether it was the last one missing for that chunk. */
    boolean arrive(int slot, long step, int chunk) {
        check(slot, step, chunk);
        slotStep[slot] = step;
        slotNext[slot] = chunk + 1;
        chunkStep[chunk] = step;
        return --chunkMissing[chunk] == 0;
    }

    private void check(int slot, long step, int chunk) {
        boolean sameStep = slotStep[slot] == step;
        int expected = sameStep ? slotNext[slot] : 0;
        if (chunk != expected) {
            throw new ExchangeException(
                    "slot " + slot + " of step " + step + ": chunk " + chunk + " came where " + expected + " is next");
        }
        if (chunkMissing[chunk] != sources.length && chunkStep[chunk] != step) {
            throw new ExchangeException("slot " + slot + " came for step " + step + " while step " + chunkStep[chunk]
                    + " is still being added");
        }
    }

    /** Adds one chunk in canonical order into {@code slice}, this rank's; no other thread has this chunk. */
    void sum(int chunk, FloatBuffer slice) {
        int from = chunk * slices.chunkFloats();
        FloatSums.sum(plan, sources, sent, from, slice, from, slices.chunkLength(rank, chunk));
    }

    /** The chunk's addends have been read: the next step's may come. */
    void rearm(int chunk) {
        chunkMissing[chunk] = sources.length;
    }

    int chunks() {
        return chunks;
    }
}
