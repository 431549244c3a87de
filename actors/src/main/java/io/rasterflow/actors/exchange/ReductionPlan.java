package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.ReductionTree.Span;
import java.util.ArrayList;
import java.util.List;

/**
 * Who sends what to whom in a generation: a pure function of (generation, bucket lengths, chunk length), so every rank
 * works it out alone.
 *
 * <p>W ranks; the gradient is a list of buckets, of each of which every rank owns a slice ({@link Slices}). A <em>slot</em>
 * is one partial sum that some rank sends: one of its maximal complete subtrees. Slots are numbered in micro-batch order
 * over all ranks.
 */
final class ReductionPlan {

    /** In {@link #program}: add the two values on top of the stack. */
    static final int ADD = -1;

    /** Squared norms take a pass over every gradient, and what they are for is averaged over many steps. */
    private static final int STEPS_PER_SQUARES = 4;

    record Slot(int index, int rank, Span span) {}

    private final Generation generation;
    private final List<Integer> bucketFloats;
    private final ExchangeConfig config;
    private final int chunkFloats;
    private final List<Slices> buckets = new ArrayList<>();
    private final List<Slot> slots = new ArrayList<>();
    private final int[] program;
    private final int depth;

    ReductionPlan(Generation generation, List<Integer> bucketFloats, ExchangeConfig config) {
        this.generation = generation;
        this.config = config;
        this.bucketFloats = List.copyOf(bucketFloats);
        this.chunkFloats = config.chunkBytes() / Float.BYTES;
        for (int floats : bucketFloats) {
            buckets.add(new Slices(buckets.size(), floats, worldSize(), chunkFloats, config.wire()));
        }
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

    /** Length of every bucket. */
    List<Integer> bucketFloats() {
        return bucketFloats;
    }

    /** Length of all buckets together. */
    long floats() {
        return bucketFloats.stream().mapToLong(Integer::longValue).sum();
    }

    /** How each bucket is shared out. */
    List<Slices> buckets() {
        return buckets;
    }

    /**
     * How the bucket of a frame is shared out.
     *
     * @throws ExchangeException if there is no such bucket
     */
    Slices bucket(FrameHeader header) {
        if (header.bucket() < 0 || header.bucket() >= buckets.size()) {
            throw new ExchangeException(
                    "corrupt frame: bucket " + header.bucket() + " is not one of " + buckets.size());
        }
        return buckets.get(header.bucket());
    }

    ExchangeConfig config() {
        return config;
    }

    /** Whether the world is large enough for a ring. */
    boolean ring() {
        return worldSize() >= config.ringFrom();
    }

    /** Whether a step's squared norms are taken: every fourth step, unless there is one micro-batch and no noise between them. */
    boolean takesSquares(long step) {
        return microBatches() > 1 && step % STEPS_PER_SQUARES == 0;
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

    /** Length of the longest slice of a rank. */
    int longestSlice(int ofRank) {
        return buckets.stream().mapToInt(slices -> slices.length(ofRank)).max().orElse(0);
    }

    int totalChunks() {
        return buckets.stream().mapToInt(Slices::totalChunks).sum();
    }
}
