package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.ReductionTree.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * Who sends what to whom in a generation: a pure function of (generation, gradient length, chunk length), so every rank
 * works it out alone.
 *
 * <p>F floats of gradient, W ranks. Rank r owns slice r, [sliceStart(r), sliceStart(r + 1)); slices start at multiples of
 * 16 floats (64 bytes) and are cut into chunks. A <em>slot</em> is one partial sum that some rank sends: one of its
 * maximal complete subtrees. Slots are numbered in micro-batch order over all ranks.
 */
final class ReductionPlan {

    /** Floats in 64 bytes. */
    private static final int ALIGNMENT = 16;

    /** In {@link #program}: add the two values on top of the stack. */
    static final int ADD = -1;

    record Slot(int index, int rank, Span span) {}

    private final Generation generation;
    private final int floats;
    private final int chunkFloats;
    private final List<Slot> slots = new ArrayList<>();
    private final int[] program;
    private final int depth;

    ReductionPlan(Generation generation, int floats, int chunkBytes) {
        this.generation = generation;
        this.floats = floats;
        this.chunkFloats = Math.max(ALIGNMENT, chunkBytes / Float.BYTES / ALIGNMENT * ALIGNMENT);
        for (int rank = 0; rank < worldSize(); rank++) {
            for (Span span : ReductionTree.maximalSubtrees(
                    microBatches(), generation.firstMicroBatch(rank), generation.firstMicroBatch(rank + 1))) {
                slots.add(new Slot(slots.size(), rank, span));
            }
        }
        List<Integer> operations = new ArrayList<>();
        this.depth = compile(ReductionTree.root(microBatches()), 0, operations);
        this.program = operations.stream().mapToInt(Integer::intValue).toArray();
    }

    /** Appends the post-order evaluation of a node; returns the depth of the stack that it needs. */
    private int compile(Span node, int firstSlot, List<Integer> operations) {
        for (int slot = firstSlot; slot < slots.size(); slot++) {
            if (slots.get(slot).span().equals(node)) {
                operations.add(slot);
                return 1;
            }
        }
        int left = compile(node.left(), firstSlot, operations);
        int right = compile(node.right(), firstSlot, operations);
        operations.add(ADD);
        return Math.max(left, 1 + right);
    }

    Generation generation() {
        return generation;
    }

    int worldSize() {
        return generation.worldSize();
    }

    int microBatches() {
        return generation.microBatches();
    }

    int floats() {
        return floats;
    }

    int chunkFloats() {
        return chunkFloats;
    }

    List<Slot> slots() {
        return slots;
    }

    /** The first slot of a rank; the others follow. */
    int firstSlot(int ofRank) {
        int slot = 0;
        while (slots.get(slot).rank() != ofRank) {
            slot++;
        }
        return slot;
    }

    /** The order of summation in reverse Polish notation: a slot number pushes it, {@link #ADD} adds. */
    int[] program() {
        return program;
    }

    /** Values that the program keeps at once. */
    int depth() {
        return depth;
    }

    int firstMicroBatch(int rank) {
        return generation.firstMicroBatch(rank);
    }

    int runLength(int rank) {
        return generation.firstMicroBatch(rank + 1) - generation.firstMicroBatch(rank);
    }

    int sliceStart(int rank) {
        int units = floats / ALIGNMENT + (floats % ALIGNMENT == 0 ? 0 : 1);
        long start = (long) rank * units / worldSize() * ALIGNMENT;
        return (int) Math.min(start, floats);
    }

    int sliceFloats(int rank) {
        return sliceStart(rank + 1) - sliceStart(rank);
    }

    /** Chunks of a rank's slice; 0 when there are more ranks than cache lines. */
    int chunks(int rank) {
        return (int) (((long) sliceFloats(rank) + chunkFloats - 1) / chunkFloats);
    }

    /** Floats of one chunk of a rank's slice. */
    int chunkLength(int rank, int chunk) {
        return Math.min(chunkFloats, sliceFloats(rank) - chunk * chunkFloats);
    }

    int totalChunks() {
        int total = 0;
        for (int rank = 0; rank < worldSize(); rank++) {
            total += chunks(rank);
        }
        return total;
    }
}
