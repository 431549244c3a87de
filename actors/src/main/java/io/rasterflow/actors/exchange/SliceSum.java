package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;

/** The addends of one rank's slice of a bucket, one per slot of the plan, and their sum, as the wire has it. */
interface SliceSum {

    static SliceSum of(ReductionPlan plan, Slices slices, int rank, Staging staging) {
        return plan.config().wire() == ExchangeConfig.Wire.BF16
                ? new NarrowSum(plan, slices, rank, staging)
                : new WideSum(plan, slices, rank, staging);
    }

    /** Where a slot's chunk goes that comes over a socket, in the wire's form. */
    ByteBuffer staging(int slot, int chunk);

    /** A slot's values are in memory that this process can read: float32, the whole slice. */
    void source(int slot, ByteBuffer slice);

    /** Adds one chunk in canonical order into its place in {@code own}, this rank's slice of the result. */
    void add(int chunk, ByteBuffer own);

    /** A chunk that has been added needs its addends no more. */
    void release(int chunk);

    /** A chunk that has been added, as it travels over a socket; unchanged until the next step's is added. */
    ByteBuffer wire(int chunk, ByteBuffer own);
}
