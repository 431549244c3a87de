package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;

/**
 * The way to one peer of a generation. Buffers that are handed over stay unchanged until the step is complete: nothing
 * is copied on this side. Any thread may call; nothing blocks.
 */
interface Link {

    /** Hands over a partial sum: the peer's slice of a bucket of a slot. */
    void partial(long step, int slot, int bucket, ByteBuffer slice);

    /**
     * Hands over a finished chunk of this rank's slice of a bucket.
     *
     * @param values float32
     * @param wire the same as it travels over a socket
     */
    void reduced(long step, int bucket, int chunk, ByteBuffer values, ByteBuffer wire);

    /**
     * Hands over a chunk to the next rank of a {@link Ring}.
     *
     * @param type PARTIAL or REDUCED
     */
    void ring(FrameType type, long step, Ring.Chunk chunk, ByteBuffer values);

    /** Whether the peer can read and write this rank's sum. */
    boolean sharesSum();

    /** Rank 0 tells the peer whether its sum is that of all ranks; only where the peer {@link #sharesSum}. */
    void commonSum(boolean common);

    /** Hands over the scalars of this rank's micro-batches. */
    void scalars(long step, Scalars scalars);

    /**
     * Tells the peer why this rank leaves, and ends the link.
     *
     * @param culprit the rank that is to blame, -1 if none is known
     */
    void abort(String reason, int culprit);
}
