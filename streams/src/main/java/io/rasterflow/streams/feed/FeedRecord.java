package io.rasterflow.streams.feed;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * One record of the queue.
 *
 * <pre>
 *  0        4      6        8          16        24      28        30   32        36       40        44
 *  +--------+------+--------+----------+---------+-------+---------+----+---------+--------+---------+--+---+---------+-------+
 *  | "RFFR" | ver  | id len | sequence | arrived | label | key len | 0  | caption | image  | CRC-32C |id|key| caption | image |
 *  | u32    | u16 1| u16    | u64      | ms u64  | i32   | u16     | u16| len u32 | len u32| u32     |  |   |         |       |
 *  +--------+------+--------+----------+---------+-------+---------+----+---------+--------+---------+--+---+---------+-------+
 *  big-endian; texts are UTF-8; the CRC covers everything but itself
 * </pre>
 */
final class FeedRecord {

    private static final int MAGIC = 0x52464652;
    private static final short VERSION = 1;
    private static final int CRC_AT = 40;
    private static final int TEXT_AT = 44;

    /** What precedes the image is never longer. */
    static final int MAX_HEAD_BYTES =
            TEXT_AT + Arrival.MAX_ID_BYTES + Arrival.MAX_KEY_BYTES + Arrival.MAX_CAPTION_BYTES;

    /** A record and the identifier that it arrived with. */
    record Stored(String id, FeedSample sample) {}

    private FeedRecord() {}

    /** Everything before the image, with the checksum of both. */
    static byte[] head(FeedSample sample, String id) {
        byte[] idBytes = id.getBytes(StandardCharsets.UTF_8);
        byte[] key = sample.key().getBytes(StandardCharsets.UTF_8);
        byte[] caption = sample.caption().getBytes(StandardCharsets.UTF_8);
        ByteBuffer head = ByteBuffer.allocate(TEXT_AT + idBytes.length + key.length + caption.length)
                .putInt(MAGIC)
                .putShort(VERSION)
                .putShort((short) idBytes.length)
                .putLong(sample.sequence())
                .putLong(sample.arrivedMillis())
                .putInt(sample.label())
                .putShort((short) key.length)
                .putShort((short) 0)
                .putInt(caption.length)
                .putInt(sample.image().length)
                .putInt(0)
                .put(idBytes)
                .put(key)
                .put(caption);
        CRC32C crc = new CRC32C();
        crc.update(head.array(), 0, CRC_AT);
        crc.update(head.array(), TEXT_AT, head.capacity() - TEXT_AT);
        crc.update(sample.image());
        return head.putInt(CRC_AT, (int) crc.getValue()).array();
    }

    /**
     * Reads a record back.
     *
     * @param sequence the sample that it must be
     * @throws DamagedSampleException if it is not whole or not that sample
     */
    static Stored read(byte[] bytes, long sequence) throws DamagedSampleException {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        if (bytes.length < TEXT_AT || buffer.getInt(0) != MAGIC) {
            throw new DamagedSampleException(sequence, "its " + bytes.length + " bytes are no record");
        }
        if (buffer.getShort(4) != VERSION) {
            throw new DamagedSampleException(sequence, "its record has version " + buffer.getShort(4));
        }
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, CRC_AT);
        crc.update(bytes, TEXT_AT, bytes.length - TEXT_AT);
        if ((int) crc.getValue() != buffer.getInt(CRC_AT)) {
            throw new DamagedSampleException(sequence, "its checksum is wrong");
        }
        int idLength = Short.toUnsignedInt(buffer.getShort(6));
        int keyLength = Short.toUnsignedInt(buffer.getShort(28));
        int captionLength = buffer.getInt(32);
        int imageLength = buffer.getInt(36);
        if ((long) TEXT_AT + idLength + keyLength + captionLength + imageLength != bytes.length) {
            throw new DamagedSampleException(sequence, "its lengths do not add up to " + bytes.length + " bytes");
        }
        if (buffer.getLong(8) != sequence) {
            throw new DamagedSampleException(sequence, "sample " + buffer.getLong(8) + " is in its place");
        }
        int keyAt = TEXT_AT + idLength;
        int captionAt = keyAt + keyLength;
        int imageAt = captionAt + captionLength;
        FeedSample sample = new FeedSample(
                sequence,
                new String(bytes, keyAt, keyLength, StandardCharsets.UTF_8),
                buffer.getInt(24),
                new String(bytes, captionAt, captionLength, StandardCharsets.UTF_8),
                buffer.getLong(16),
                Arrays.copyOfRange(bytes, imageAt, bytes.length));
        return new Stored(new String(bytes, TEXT_AT, idLength, StandardCharsets.UTF_8), sample);
    }
}
