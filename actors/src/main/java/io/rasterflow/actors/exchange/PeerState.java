package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * What a rank that joins takes from a peer.
 *
 * @param header whatever describes the blocks, at most {@link #MAX_HEADER_BYTES}
 * @param blocks values from position to limit, little-endian where they are numbers; not to be changed once handed over
 */
public record PeerState(byte[] header, List<ByteBuffer> blocks) {

    public static final int MAX_HEADER_BYTES = 1 << 16;

    public PeerState {
        if (header.length > MAX_HEADER_BYTES) {
            throw new IllegalArgumentException(
                    "a state's header has " + header.length + " bytes, at most " + MAX_HEADER_BYTES + " are possible");
        }
        blocks = List.copyOf(blocks);
    }

    /** Bytes of all blocks. */
    long bytes() {
        return blocks.stream().mapToLong(ByteBuffer::remaining).sum();
    }
}
