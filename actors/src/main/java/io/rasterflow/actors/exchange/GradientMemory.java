package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.List;

/** Where the gradients of one rank lie in one generation. */
interface GradientMemory {

    /** Zeroed buffers for one gradient: direct, native order, one of 4·F_b bytes per bucket. */
    List<ByteBuffer> gradient();

    /** This process's own, which nobody else can read. */
    static GradientMemory direct(ReductionPlan plan) {
        return () -> plan.bucketFloats().stream().map(FloatSums::allocate).toList();
    }
}
