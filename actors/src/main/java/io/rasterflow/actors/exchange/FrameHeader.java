package io.rasterflow.actors.exchange;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The header of every frame of the data plane. Header fields are big-endian, floats in payloads little-endian.
 *
 * <pre>
 *   byte 0        4     5      6       8            16     24      28       32       36       40      44
 *        +--------+-----+------+-------+------------+------+-------+--------+--------+--------+-------+--------------+
 *        | magic  | ver | type | rank  | generation | step | index | bucket | offset | length | CRC   | payload      |
 *        | "RFXC" |  4  | u8   | u16   | i64        | i64  | i32   | i32    | i32    | i32    | 32C   | length bytes |
 *        +--------+-----+------+-------+------------+------+-------+--------+--------+--------+-------+--------------+
 *                                                                              covers bytes 0..40 and payload
 * </pre>
 *
 * @param type what the payload is
 * @param rank sender's rank
 * @param generation sender's generation; a frame of another generation is dropped
 * @param step global step of PARTIAL, REDUCED and SCALARS; STATE_HEADER: bytes of all blocks; STATE: first byte within the
 *     block; otherwise 0
 * @param index PARTIAL: slot of the {@link ReductionPlan}; REDUCED: slice; SCALARS: first micro-batch; ABORT: the rank that is
 *     to blame, -1 if none is known; STATE_HEADER: number of blocks; STATE: block
 * @param bucket PARTIAL and REDUCED: bucket of the gradient, otherwise 0
 * @param offset PARTIAL and REDUCED: first float within the slice, a multiple of the chunk length
 * @param length payload bytes, at most the configured maximum
 */
public record FrameHeader(
        FrameType type, int rank, long generation, long step, int index, int bucket, int offset, int length) {

    public static final int BYTES = 44;
    public static final int MAGIC = 0x52465843;
    public static final int VERSION = 4;
    private static final int CHECKED_BYTES = 40;

    FrameHeader withLength(int bytes) {
        return new FrameHeader(type, rank, generation, step, index, bucket, offset, bytes);
    }

    /** The encoded header, checksum included, for this payload; the payload's position does not move. */
    public ByteBuf encode(ByteBuffer payload, ByteBufAllocator allocator) {
        byte[] bytes = new byte[BYTES];
        ByteBuffer.wrap(bytes)
                .putInt(MAGIC)
                .put((byte) VERSION)
                .put((byte) type.ordinal())
                .putShort((short) rank)
                .putLong(generation)
                .putLong(step)
                .putInt(index)
                .putInt(bucket)
                .putInt(offset)
                .putInt(length);
        CRC32C crc = startChecksum(bytes);
        crc.update(payload.duplicate());
        ByteBuffer.wrap(bytes).putInt(CHECKED_BYTES, (int) crc.getValue());
        return allocator.directBuffer(BYTES, BYTES).writeBytes(bytes);
    }

    /**
     * Reads a header.
     *
     * @throws ExchangeException if magic, version, type or length is wrong
     */
    public static FrameHeader decode(byte[] bytes, int maxFrameBytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int magic = in.getInt();
        if (magic != MAGIC) {
            throw new ExchangeException(String.format("corrupt frame: magic %08x, expected %08x", magic, MAGIC));
        }
        int version = in.get() & 0xff;
        if (version != VERSION) {
            throw new ExchangeException("frame of version " + version + ", this build speaks " + VERSION);
        }
        FrameType type = FrameType.of(in.get() & 0xff);
        FrameHeader header = new FrameHeader(
                type,
                in.getShort() & 0xffff,
                in.getLong(),
                in.getLong(),
                in.getInt(),
                in.getInt(),
                in.getInt(),
                in.getInt());
        if (header.length < 0 || header.length > maxFrameBytes - BYTES) {
            throw new ExchangeException("corrupt frame: " + header.length + " payload bytes, at most "
                    + (maxFrameBytes - BYTES) + " are allowed");
        }
        return header;
    }

    /** A checksum that has seen the header; the payload follows. */
    static CRC32C startChecksum(byte[] headerBytes) {
        CRC32C crc = new CRC32C();
        crc.update(headerBytes, 0, CHECKED_BYTES);
        return crc;
    }

    static int checksum(byte[] headerBytes) {
        return ByteBuffer.wrap(headerBytes).getInt(CHECKED_BYTES);
    }
}
