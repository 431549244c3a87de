package io.rasterflow.actors.exchange;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Who connects, to whom and with what idea of the run. Payload of a HELLO frame, big-endian:
 *
 * <pre>
 *   0       32           40     44   48      52             56               64           68            72
 *   +-------+------------+------+----+-------+--------------+----------------+------------+-------------+----
 *   | nonce | generation | from | to | world | microBatches | gradientFloats | bucketHash | chunkFloats | ...
 *   +-------+------------+------+----+-------+--------------+----------------+------------+-------------+----
 *   72     73     74     76
 *   +------+------+------+-------------------+
 *   | wire | ring | tran | processId (UTF-8) |
 *   +------+------+------+-------------------+
 * </pre>
 */
record Hello(
        byte[] nonce,
        long generation,
        int from,
        int to,
        int world,
        int microBatches,
        long gradientFloats,
        int bucketHash,
        int chunkFloats,
        ExchangeConfig.Wire wire,
        boolean ring,
        ExchangeConfig.Transport transport,
        String processId)
        implements Greeting {

    private static final int FIXED_BYTES = NONCE_BYTES + 8 + 4 * 4 + 8 + 2 * 4 + 4;

    static Hello of(ReductionPlan plan, int from, int to) {
        Generation generation = plan.generation();
        return new Hello(
                Greeting.newNonce(),
                generation.number(),
                from,
                to,
                generation.worldSize(),
                generation.microBatches(),
                plan.floats(),
                plan.bucketFloats().hashCode(),
                plan.chunkFloats(),
                plan.config().wire(),
                plan.ring(),
                plan.config().transport(),
                generation.members().get(from).processId());
    }

    @Override
    public FrameType type() {
        return FrameType.HELLO;
    }

    @Override
    public byte[] encode() {
        byte[] id = processId.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(FIXED_BYTES + id.length)
                .put(nonce)
                .putLong(generation)
                .putInt(from)
                .putInt(to)
                .putInt(world)
                .putInt(microBatches)
                .putLong(gradientFloats)
                .putInt(bucketHash)
                .putInt(chunkFloats)
                .put((byte) wire.ordinal())
                .put((byte) (ring ? 1 : 0))
                .putShort((short) transport.ordinal())
                .put(id)
                .array();
    }

    static Hello decode(ByteBuffer in) {
        try {
            byte[] nonce = new byte[NONCE_BYTES];
            in.get(nonce);
            long generation = in.getLong();
            int from = in.getInt();
            int to = in.getInt();
            int world = in.getInt();
            int microBatches = in.getInt();
            long floats = in.getLong();
            int bucketHash = in.getInt();
            int chunkFloats = in.getInt();
            ExchangeConfig.Wire wire = in.get() == 0 ? ExchangeConfig.Wire.FP32 : ExchangeConfig.Wire.BF16;
            boolean ring = in.get() != 0;
            ExchangeConfig.Transport transport = transport(in.getShort());
            String processId = StandardCharsets.UTF_8.decode(in).toString();
            return new Hello(
                    nonce,
                    generation,
                    from,
                    to,
                    world,
                    microBatches,
                    floats,
                    bucketHash,
                    chunkFloats,
                    wire,
                    ring,
                    transport,
                    processId);
        } catch (BufferUnderflowException e) {
            throw new ExchangeException("corrupt frame: a hello is too short", e);
        }
    }

    private static ExchangeConfig.Transport transport(int code) {
        ExchangeConfig.Transport[] codes = ExchangeConfig.Transport.values();
        if (code < 0 || code >= codes.length) {
            throw new ExchangeException("corrupt frame: transport " + code + " in a hello");
        }
        return codes[code];
    }

    /** What contradicts this rank's idea of the run; empty when all agrees. */
    String contradiction(ReductionPlan plan) {
        if (from < 0 || from >= to || world != plan.worldSize()) {
            return "rank " + from + " of " + world + " connects to rank " + to + " of " + plan.worldSize();
        }
        Hello expected = of(plan, from, to);
        if (!processId.equals(expected.processId)) {
            return "process " + processId + " claims rank " + from + " of process " + expected.processId;
        }
        return differs("micro-batches", microBatches, expected.microBatches)
                + differs("gradient floats", gradientFloats, expected.gradientFloats)
                + differs("as hash of its bucket lengths", bucketHash, expected.bucketHash)
                + differs("floats per chunk", chunkFloats, expected.chunkFloats)
                + differs("as exchange.wire", wire, expected.wire)
                + differs("as use of a ring", ring, expected.ring)
                + differs("as exchange.transport", transport, expected.transport);
    }

    private String differs(String what, Object theirs, Object ours) {
        return theirs.equals(ours)
                ? ""
                : "rank " + from + " has " + theirs + " " + what + ", rank " + to + " " + ours + "; ";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Hello hello && Arrays.equals(encode(), hello.encode());
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(encode());
    }
}
