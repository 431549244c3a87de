package io.rasterflow.actors.exchange;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelConfig;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import java.nio.ByteBuffer;

/**
 * Where the next bytes of a connection are read to: exactly the rest of a header, or, inside a payload, the place where
 * that payload is wanted, so that the kernel's copy is the only one. On the event loop.
 */
final class FrameReads implements RecvByteBufAllocator, RecvByteBufAllocator.ExtendedHandle {

    /** Of a payload that is not wanted in direct memory. */
    private static final int PIECE_BYTES = 1 << 16;

    /** Reads in a row before other connections have their turn. */
    private static final int TURN = 32;

    private final FrameDecoder decoder;
    private ByteBuf direct;
    private int reads;
    private int attempted;
    private int last;

    FrameReads(FrameDecoder decoder) {
        this.decoder = decoder;
    }

    @Override
    public ExtendedHandle newHandle() {
        return this;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator allocator) {
        ByteBuffer place = decoder.place();
        if (place != null && place.isDirect()) {
            direct = Unpooled.wrappedBuffer(place).clear();
            return direct;
        }
        direct = null;
        int bytes = Math.min(decoder.wanted(), PIECE_BYTES);
        return allocator.ioBuffer(bytes, bytes);
    }

    /** Whether this buffer is the payload's own place, not one to copy from. */
    boolean isPlace(ByteBuf read) {
        return read == direct;
    }

    @Override
    public int guess() {
        return Math.min(decoder.wanted(), PIECE_BYTES);
    }

    @Override
    public void reset(ChannelConfig config) {
        reads = 0;
        last = 0;
        attempted = 0;
    }

    @Override
    public void incMessagesRead(int count) {
        reads += count;
    }

    @Override
    public void lastBytesRead(int bytes) {
        last = bytes;
    }

    @Override
    public int lastBytesRead() {
        return last;
    }

    @Override
    public void attemptedBytesRead(int bytes) {
        attempted = bytes;
    }

    @Override
    public int attemptedBytesRead() {
        return attempted;
    }

    /** A read that filled its buffer was probably not the last. */
    @Override
    public boolean continueReading() {
        return last > 0 && last == attempted && reads < TURN;
    }

    @Override
    public boolean continueReading(UncheckedBooleanSupplier maybeMore) {
        return continueReading();
    }

    @Override
    public void readComplete() {
        direct = null;
    }
}
