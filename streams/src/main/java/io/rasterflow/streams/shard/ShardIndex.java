package io.rasterflow.streams.shard;

import io.rasterflow.streams.format.SampleEntry;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.zip.CRC32;
import java.util.zip.CheckedOutputStream;

/**
 * Where the samples of one shard lie, in columns.
 *
 * <pre>
 *  0        4           8          12          20
 *  +--------+-----------+----------+-----------+-------------------+------------------+-----------+
 *  | "RFSI" | version 1 | count S  | tar bytes | S entries of 24 B | key bytes, UTF-8 | CRC-32    |
 *  +--------+-----------+----------+-----------+-------------------+------------------+-----------+
 *  entry:   | offset u64 | length u32 | label i32 | key start u32 | key length u32 |
 *  big-endian; the CRC covers everything before it
 * </pre>
 */
public final class ShardIndex {

    private static final int MAGIC = 0x52465349;
    private static final int VERSION = 1;
    private static final int HEADER = 20;
    private static final int ENTRY = 24;

    private final int count;
    private final long tarBytes;
    private final ByteBuffer entries;
    private final byte[] keys;

    private ShardIndex(int count, long tarBytes, ByteBuffer entries, byte[] keys) {
        this.count = count;
        this.tarBytes = tarBytes;
        this.entries = entries;
        this.keys = keys;
    }

    /** Number of samples S. */
    public int count() {
        return count;
    }

    /** Size of the uncompressed tar. */
    public long tarBytes() {
        return tarBytes;
    }

    /** Sample {@code sample}, 0-based. */
    public SampleEntry entry(int sample) {
        int at = Math.multiplyExact(Objects.checkIndex(sample, count), ENTRY);
        String key = new String(keys, entries.getInt(at + 16), entries.getInt(at + 20), StandardCharsets.UTF_8);
        return new SampleEntry(key, entries.getLong(at), entries.getInt(at + 8), entries.getInt(at + 12));
    }

    /** Writes the index of a tar of {@code tarBytes} bytes. */
    static void write(OutputStream out, List<SampleEntry> samples, long tarBytes) throws IOException {
        CheckedOutputStream checked = new CheckedOutputStream(out, new CRC32());
        DataOutputStream data = new DataOutputStream(checked);
        data.writeInt(MAGIC);
        data.writeInt(VERSION);
        data.writeInt(samples.size());
        data.writeLong(tarBytes);
        int keyStart = 0;
        for (SampleEntry sample : samples) {
            int keyLength = sample.key().getBytes(StandardCharsets.UTF_8).length;
            data.writeLong(sample.offset());
            data.writeInt(sample.length());
            data.writeInt(sample.label());
            data.writeInt(keyStart);
            data.writeInt(keyLength);
            keyStart = Math.addExact(keyStart, keyLength);
        }
        for (SampleEntry sample : samples) {
            data.write(sample.key().getBytes(StandardCharsets.UTF_8));
        }
        data.writeInt((int) checked.getChecksum().getValue());
        data.flush();
    }

    /** Reads an index; null if there is none or it is damaged, because it can always be built again. */
    static ShardIndex readOrNull(Path file) throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        if (bytes.length < HEADER + 4 || buffer.getInt() != MAGIC || buffer.getInt() != VERSION) {
            return null;
        }
        CRC32 crc = new CRC32();
        crc.update(bytes, 0, bytes.length - 4);
        if ((int) crc.getValue() != buffer.getInt(bytes.length - 4)) {
            return null;
        }
        int count = buffer.getInt();
        long tarBytes = buffer.getLong();
        int keysAt = HEADER + count * ENTRY;
        byte[] keys = Arrays.copyOfRange(bytes, keysAt, bytes.length - 4);
        return new ShardIndex(count, tarBytes, buffer.slice(HEADER, count * ENTRY), keys);
    }
}
