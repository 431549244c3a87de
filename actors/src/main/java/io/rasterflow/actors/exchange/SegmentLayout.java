package io.rasterflow.actors.exchange;

import java.util.ArrayList;
import java.util.List;

/**
 * What lies where in the shared memory of a rank; a pure function of plan and rank, so that its peers know, too.
 *
 * <pre>
 *   0        32
 *   +--------+---------+------------+-----+------------+-----+----------+-----+
 *   | token  | unused  | gradient 0 | ... | gradient n | ... | sum 0    | ... |
 *   +--------+---------+------------+-----+------------+-----+----------+-----+
 *                       one part for each bucket, at multiples of 4,096 bytes;
 *                       a sum is a whole bucket, of which peers read the rank's slice;
 *                       that of rank 0 may be the sum of all ranks
 * </pre>
 *
 * <p>There are as many gradients as {@link GradientAccumulator} holds at once.
 */
final class SegmentLayout {

    static final int TOKEN_BYTES = 32;
    private static final long PAGE = 4096;

    private final int gradients;
    private final long gradientBytes;
    private final List<Long> bucketStarts = new ArrayList<>();
    private final List<Long> sumStarts = new ArrayList<>();
    private final long bytes;

    SegmentLayout(ReductionPlan plan, int rank) {
        int first = plan.firstMicroBatch(rank);
        this.gradients = GradientAccumulator.gradientsHeld(plan.microBatches(), first, first + plan.runLength(rank));
        long start = 0;
        for (Slices slices : plan.buckets()) {
            bucketStarts.add(start);
            start += pages(slices.floats());
        }
        this.gradientBytes = start;
        start = PAGE + gradients * gradientBytes;
        for (Slices slices : plan.buckets()) {
            sumStarts.add(start);
            start += pages(slices.floats());
        }
        this.bytes = start;
    }

    private static long pages(int floats) {
        return ((long) floats * Float.BYTES + PAGE - 1) / PAGE * PAGE;
    }

    int gradients() {
        return gradients;
    }

    /** First byte of a bucket of a gradient. */
    long gradientStart(int gradient, int bucket) {
        return PAGE + gradient * gradientBytes + bucketStarts.get(bucket);
    }

    /** First byte of the sum of a bucket. */
    long sumStart(int bucket) {
        return sumStarts.get(bucket);
    }

    /** Length of the whole. */
    long bytes() {
        return bytes;
    }
}
