package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;

/**
 * The way to one peer of a generation. Buffers that are handed over stay unchanged until the step is complete: nothing
 * is copied on this side. Any thread may call; nothing blocks.
 */
interface Link {

    /** Hands over a partial sum: the peer's slice of a slot. */
    void partial(long step, int slot, ByteBuffer slice);

    /** Hands over a finished chunk of this rank's slice. */
    void reduced(long step, int chunk, ByteBuffer values);

    /** Hands over the scalars of this rank's micro-batches. */
    void scalars(long step, LossCounts[] run);

    /** Tells the peer why this rank leaves, and ends the link. */
    void abort(String reason);
}
