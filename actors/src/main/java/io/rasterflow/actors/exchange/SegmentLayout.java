package io.rasterflow.actors.exchange;

import java.util.ArrayList;
import java.util.List;

/**
 * What lies where in the shared memory of a rank; a pure function of plan and rank, so that its peers know, too.
 *
 * <pre>
 *   0        32
 *   +--------+---------+------------+-----+------------+
 *   | token  | unused  | gradient 0 | ... | gradient n |
 *   +--------+---------+------------+-----+------------+
 *                       one part for each bucket, at multiples of 4,096 bytes
 * </pre>
 *
 * <p>There is one gradient more than {@link GradientAccumulator} fills at once: the last step's sum rests in it.
 */
final class SegmentLayout {

    static final int TOKEN_BYTES = 32;
    private static final long PAGE = 4096;

    private final int gradients;
    private final long gradientBytes;
    private final List<Long> bucketStarts = new ArrayList<>();
    private final long bytes;

    SegmentLayout(ReductionPlan plan, int rank) {
        int first = plan.firstMicroBatch(rank);
        this.gradients =
                GradientAccumulator.gradientsHeld(plan.microBatches(), first, first + plan.runLength(rank)) + 1;
        long start = 0;
        for (Slices slices : plan.buckets()) {
            bucketStarts.add(start);
            start += pages(slices.floats());
        }
        this.gradientBytes = start;
        this.bytes = PAGE + gradients * gradientBytes;
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

    /** Length of the whole. */
    long bytes() {
        return bytes;
    }
}
