package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The owner's side of the reduce-scatter: collects every slot's share of one rank's slice of a bucket and adds them chunk by chunk,
 * each chunk as soon as all its addends are there.
 *
 * <p>One buffer per slot is enough although a fast peer may be one step ahead: it begins step s + 1 only when it holds
 * all of step s, this slice included, so every addend of step s has been read by then. A peer that breaks this is
 * rejected. All methods are called under the exchange's lock; {@link SliceSum#add} is not.
 */
final class SliceReducer {

    private static final long NONE = Long.MIN_VALUE;

    private final ReductionPlan plan;
    private final Slices slices;
    private final int rank;
    private final int chunks;
    private final int slots;
    private final SliceSum sum;
    private final long[] slotStep;
    private final int[] slotNext;
    private final long[] chunkStep;
    private final int[] chunkMissing;

    SliceReducer(ReductionPlan plan, Slices slices, int rank, Staging staging) {
        this.plan = plan;
        this.slices = slices;
        this.rank = rank;
        this.chunks = slices.chunks(rank);
        this.slots = plan.slots().size();
        this.sum = SliceSum.of(plan, slices, rank, staging);
        this.slotStep = new long[slots];
        this.slotNext = new int[slots];
        this.chunkStep = new long[chunks];
        this.chunkMissing = new int[chunks];
        Arrays.fill(slotStep, NONE);
        Arrays.fill(chunkMissing, slots);
    }

    /** Where a chunk that comes over a socket goes. */
    ByteBuffer target(int peer, FrameHeader header) {
        int slot = header.index();
        requireSlot(peer, slot);
        int chunk = slices.chunkOf(rank, header);
        check(slot, header.step(), chunk);
        return sum.staging(slot, chunk);
    }

    void requireSlot(int peer, int slot) {
        if (slot < 0 || slot >= plan.slots().size() || plan.slots().get(slot).rank() != peer) {
            throw new ExchangeException("corrupt frame: slot " + slot + " is not one of rank " + peer);
        }
    }

    /** A slot's values are in memory that this process can read. */
    void source(int slot, ByteBuffer slice) {
        sum.source(slot, slice);
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
        if (chunkMissing[chunk] != slots && chunkStep[chunk] != step) {
            throw new ExchangeException("slot " + slot + " came for step " + step + " while step " + chunkStep[chunk]
                    + " is still being added");
        }
    }

    /** The addends and their sum; no other thread adds the same chunk. */
    SliceSum sum() {
        return sum;
    }

    /** The chunk's addends have been read: the next step's may come. */
    void rearm(int chunk) {
        sum.release(chunk);
        chunkMissing[chunk] = slots;
    }

    int chunks() {
        return chunks;
    }
}
