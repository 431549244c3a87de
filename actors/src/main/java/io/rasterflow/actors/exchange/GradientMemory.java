package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.List;

/** Where the gradients of one rank lie in one generation. */
interface GradientMemory {

    /** Zeroed buffers for one gradient: direct, native order, one of 4·F_b bytes per bucket. */
    List<ByteBuffer> gradient();

    /**
     * Room for the sum of every bucket over all ranks, once in a generation: direct, native order, 4·F_b bytes. Empty if
     * sums take the place of the gradients.
     */
    List<ByteBuffer> sums();

    /** This process's own, which nobody else can read. */
    static GradientMemory direct(ReductionPlan plan) {
        return new GradientMemory() {
            @Override
            public List<ByteBuffer> gradient() {
                return plan.bucketFloats().stream().map(FloatSums::allocate).toList();
            }

            @Override
            public List<ByteBuffer> sums() {
                // What a ring forwards is neither.
                return plan.ring() ? gradient() : List.of();
            }
        };
    }
}
