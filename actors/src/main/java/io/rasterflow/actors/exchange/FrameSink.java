package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;

/** Takes the frames of one connection. Called on the connection's event loop only; must not block. */
public interface FrameSink {

    /**
     * Says where a payload goes, before its first byte is read.
     *
     * @return a buffer at position 0 with exactly {@code header.length()} bytes remaining, or null to drop the frame
     * @throws ExchangeException if such a frame must not come now; the connection is then closed
     */
    ByteBuffer target(FrameHeader header);

    /**
     * A whole frame with a correct checksum is there.
     *
     * @param payload the buffer of {@link #target}, position 0
     * @throws ExchangeException if the content is wrong; the connection is then closed
     */
    void frame(FrameHeader header, ByteBuffer payload);

    /** The connection is gone or about to be closed; may be called more than once. */
    void closed(String cause);

    /** As {@link #closed}, because what came was wrong. */
    default void rejected(String cause) {
        closed(cause);
    }

    /** Bytes have come, whatever they are. */
    default void heard() {}

    /** The connection takes more bytes. */
    default void writable() {}
}
