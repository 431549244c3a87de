package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.List;

/** Where the gradients of one rank lie in one generation. */
interface GradientMemory {

    /** Zeroed buffers for one gradient: direct, native order, one of 4·F_b bytes per bucket. */
    List<ByteBuffer> gradient();

    /** Room for this rank's finished slice of a bucket: direct, native order. */
    ByteBuffer outbox(int bucket);

    /** This process's own, which nobody else can read. */
    static GradientMemory direct(ReductionPlan plan, int rank) {
        return new GradientMemory() {
            @Override
            public List<ByteBuffer> gradient() {
                return plan.bucketFloats().stream().map(FloatSums::allocate).toList();
            }

            @Override
            public ByteBuffer outbox(int bucket) {
                return FloatSums.allocate(plan.buckets().get(bucket).length(rank));
            }
        };
    }
}
