package io.rasterflow.monitoring.audit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What the journals of one generation say about one step: which positions its micro-batches took and which ranks
 * committed it. Offsets count from the step's first position, so that steps which went alike are equal.
 */
final class StepUses {

    /** A step of which nobody wrote anything; never changed. */
    static final StepUses NONE = new StepUses();

    private static final int ABSENT = -1;

    /**
     * A lease beside the first of its micro-batch, or with positions that are not the step's.
     *
     * @param offset of its first position; may lie outside of the step
     */
    record Odd(int microBatch, long offset, int images) {}

    private int[] offsets = {};
    private int[] images = {};
    private List<Odd> odd = List.of();
    private final BitSet committed = new BitSet();
    private boolean diverged;

    StepUses copy() {
        StepUses copy = new StepUses();
        copy.offsets = offsets.clone();
        copy.images = images.clone();
        copy.odd = odd;
        copy.committed.or(committed);
        copy.diverged = diverged;
        return copy;
    }

    /**
     * @param microBatches of a step as far as known, so that the arrays need not grow one by one
     * @param globalBatch positions of a step
     */
    void lease(int microBatch, long offset, int count, int microBatches, int globalBatch) {
        if (offset < 0 || offset + count > globalBatch || leased(microBatch)) {
            odd = new ArrayList<>(odd);
            odd.add(new Odd(microBatch, offset, count));
            return;
        }
        if (microBatch >= offsets.length) {
            int old = offsets.length;
            int length = Math.max(microBatch + 1, microBatches);
            offsets = Arrays.copyOf(offsets, length);
            images = Arrays.copyOf(images, length);
            Arrays.fill(offsets, old, length, ABSENT);
        }
        offsets[microBatch] = (int) offset;
        images[microBatch] = count;
    }

    void commit(int rank) {
        committed.set(rank);
    }

    void diverge() {
        diverged = true;
    }

    boolean leased(int microBatch) {
        return microBatch < offsets.length && offsets[microBatch] != ABSENT;
    }

    boolean committed() {
        return !committed.isEmpty();
    }

    boolean committedBy(int rank) {
        return committed.get(rank);
    }

    /** Whether ranks committed it with different sums. */
    boolean diverged() {
        return diverged;
    }

    List<Odd> odd() {
        return odd;
    }

    /** All leases as rows of {offset, images}, by offset. */
    List<long[]> spans() {
        List<long[]> spans = new ArrayList<>();
        for (int m = 0; m < offsets.length; m++) {
            if (offsets[m] != ABSENT) {
                spans.add(new long[] {offsets[m], images[m]});
            }
        }
        odd.forEach(span -> spans.add(new long[] {span.offset(), span.images()}));
        spans.sort((a, b) -> Long.compare(a[0], b[0]));
        return spans;
    }

    /** Images of all leases: what was computed, used or not. */
    long computed() {
        return Arrays.stream(images).asLongStream().sum()
                + odd.stream().mapToLong(Odd::images).sum();
    }

    /** One more than the last micro-batch that was leased. */
    private int size() {
        return IntStream.iterate(offsets.length, n -> n - 1)
                .filter(n -> n == 0 || offsets[n - 1] != ABSENT)
                .findFirst()
                .getAsInt();
    }

    @Override
    public boolean equals(Object other) {
        if (!(other instanceof StepUses that)) {
            return false;
        }
        int size = size();
        return size == that.size()
                && diverged == that.diverged
                && Arrays.equals(offsets, 0, size, that.offsets, 0, size)
                && Arrays.equals(images, 0, size, that.images, 0, size)
                && committed.equals(that.committed)
                && odd.equals(that.odd);
    }

    @Override
    public int hashCode() {
        return 31 * committed.hashCode() + odd.hashCode();
    }
}
