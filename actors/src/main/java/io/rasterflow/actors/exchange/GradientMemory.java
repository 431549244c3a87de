package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.List;

/** Where the gradients of one rank lie in one generation. */
interface GradientMemory {

    /** Zeroed buffers for one gradient: direct, native order, one of 4·F_b bytes per bucket. */
    List<ByteBuffer> gradient();

    /** Room for the sum of a bucket over all ranks, once in a generation: direct, native order, 4·F_b bytes. */
    ByteBuffer sum(int bucket);

    /** This process's own, which nobody else can read. */
    static GradientMemory direct(ReductionPlan plan) {
        return new GradientMemory() {
            @Override
            public List<ByteBuffer> gradient() {
                return plan.bucketFloats().stream().map(FloatSums::allocate).toList();
            }

            @Override
            public ByteBuffer sum(int bucket) {
                return FloatSums.allocate(plan.bucketFloats().get(bucket));
            }
        };
    }
}
