package io.rasterflow.actors.exchange;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A greeting to a process rather than to a rank of a generation: whether it is there (CONFIRM), or for the state of one of
 * its replicas (FETCH). Payload, big-endian; the process id is the one that is addressed:
 *
 * <pre>
 *   0       32        36
 *   +-------+---------+-------------------+
 *   | nonce | replica | processId (UTF-8) |
 *   +-------+---------+-------------------+
 * </pre>
 */
record Visit(FrameType type, byte[] nonce, int replica, String processId) implements Greeting {

    static Visit to(DataAddress address, FrameType type) {
        return new Visit(type, Greeting.newNonce(), address.replica(), address.processId());
    }

    @Override
    public long generation() {
        return 0;
    }

    @Override
    public byte[] encode() {
        byte[] id = processId.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(NONCE_BYTES + Integer.BYTES + id.length)
                .put(nonce)
                .putInt(replica)
                .put(id)
                .array();
    }

    static Visit decode(FrameType type, ByteBuffer in) {
        try {
            byte[] nonce = new byte[NONCE_BYTES];
            in.get(nonce);
            return new Visit(
                    type, nonce, in.getInt(), StandardCharsets.UTF_8.decode(in).toString());
        } catch (BufferUnderflowException e) {
            throw new ExchangeException("corrupt frame: a visitor's greeting is too short", e);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Visit visit && type == visit.type && Arrays.equals(encode(), visit.encode());
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(encode());
    }
}
