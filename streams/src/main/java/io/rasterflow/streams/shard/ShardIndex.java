package io.rasterflow.streams.shard;

import io.rasterflow.streams.curate.NearDuplicate;
import io.rasterflow.streams.curate.Scan;
import io.rasterflow.streams.format.Damage;
import io.rasterflow.streams.format.SampleEntry;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * Where the samples of one shard lie, in columns, and what was left out of it.
 *
 * <pre>
 *  0        4           8                 16          24        28         32              40
 *  +--------+-----------+-----------------+-----------+---------+----------+---------------+
 *  | "RFSI" | version 2 | fingerprint u64 | tar bytes | count S | causes C | damage offset |
 *  +--------+-----------+-----------------+-----------+---------+----------+---------------+
 *  | S entries of 24 B  | keys, UTF-8     | C counts: | number u32, text   | fault text    |
 *  +--------------------+-----------------+-----------+--------------------+---------------+
 *  | advice text        | pairs P u32     | P pairs | CRC-32                            |
 *  +--------------------+-----------------+---------+-----------------------------------+
 *  entry:   | offset u64 | length u32 | label i32 | key start u32 | key length u32 |
 *  text:    | length u16 | UTF-8 |
 *  pair:    | text: key left out | text: key kept | bits u16 |
 *  big-endian; the fingerprint is that of the scanner; a damage offset of all ones means that there is no damage and
 *  neither of its texts; older programs wrote no pairs, nor their number; the CRC covers everything before it
 * </pre>
 */
public final class ShardIndex {

    private static final int MAGIC = 0x52465349;
    private static final int VERSION = 2;
    private static final int HEADER = 40;
    private static final int ENTRY = 24;
    private static final int CRC = 4;
    private static final long NO_DAMAGE = -1;

    private final ByteBuffer bytes;
    private final int count;
    private final int keysAt;
    private final SortedMap<String, Integer> leftOut = new TreeMap<>();
    private final List<NearDuplicate> duplicates = new ArrayList<>();
    private final Optional<Damage> damage;

    /** @param bytes checked */
    private ShardIndex(byte[] bytes) {
        this.bytes = ByteBuffer.wrap(bytes);
        this.count = this.bytes.getInt(24);
        int causes = this.bytes.getInt(28);
        long offset = this.bytes.getLong(32);
        this.keysAt = HEADER + count * ENTRY;
        int at = HEADER - ENTRY + count * ENTRY; // the last entry tells where the keys end
        ByteBuffer rest = this.bytes.duplicate();
        rest.position(keysAt + (count == 0 ? 0 : this.bytes.getInt(at + 16) + this.bytes.getInt(at + 20)));
        for (int c = 0; c < causes; c++) {
            int number = rest.getInt();
            leftOut.put(text(rest), number);
        }
        this.damage = offset == NO_DAMAGE ? Optional.empty() : Optional.of(new Damage(offset, text(rest), text(rest)));
        int pairs = rest.remaining() > CRC ? rest.getInt() : 0;
        for (int p = 0; p < pairs; p++) {
            duplicates.add(new NearDuplicate(text(rest), text(rest), rest.getShort()));
        }
    }

    /**
     * The index of a scan.
     *
     * @param tarBytes size of the uncompressed tar; 0 for a slice of a folder
     * @param fingerprint of the scanner
     */
    public static ShardIndex of(Scan scan, long tarBytes, long fingerprint) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream data = new DataOutputStream(bytes)) {
            data.writeInt(MAGIC);
            data.writeInt(VERSION);
            data.writeLong(fingerprint);
            data.writeLong(tarBytes);
            data.writeInt(scan.samples().size());
            data.writeInt(scan.leftOut().size());
            data.writeLong(scan.damage().map(Damage::offset).orElse(NO_DAMAGE));
            writeEntries(data, scan.samples());
            for (Map.Entry<String, Integer> cause : scan.leftOut().entrySet()) {
                data.writeInt(cause.getValue());
                writeText(data, cause.getKey());
            }
            if (scan.damage().isPresent()) {
                writeText(data, scan.damage().get().fault());
                writeText(data, scan.damage().get().advice());
            }
            data.writeInt(scan.duplicates().size());
            for (NearDuplicate pair : scan.duplicates()) {
                writeText(data, pair.leftOut());
                writeText(data, pair.kept());
                data.writeShort(pair.bits());
            }
            data.writeInt((int) crc(bytes.toByteArray(), bytes.size()));
        } catch (IOException e) {
            throw new IllegalStateException("memory takes every byte", e);
        }
        return new ShardIndex(bytes.toByteArray());
    }

    private static void writeEntries(DataOutputStream data, List<SampleEntry> samples) throws IOException {
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
    }

    private static void writeText(DataOutputStream data, String text) throws IOException {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(utf8.length, 0xFFFF);
        data.writeShort(length);
        data.write(utf8, 0, length);
    }

    private static String text(ByteBuffer from) {
        byte[] utf8 = new byte[from.getShort() & 0xFFFF];
        from.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    /** Number of samples S. */
    public int count() {
        return count;
    }

    /** Size of the uncompressed tar. */
    public long tarBytes() {
        return bytes.getLong(16);
    }

    /** What the shard was scanned with; an index with another fingerprint than the scanner's must be made again. */
    public long fingerprint() {
        return bytes.getLong(8);
    }

    /** Samples that are in the shard but not in the index, by cause. */
    public SortedMap<String, Integer> leftOut() {
        return Collections.unmodifiableSortedMap(leftOut);
    }

    /** The first near-duplicates that were left out; none in an index that an older program made. */
    public List<NearDuplicate> duplicates() {
        return Collections.unmodifiableList(duplicates);
    }

    /** Where the shard is cut or damaged, if it is. */
    public Optional<Damage> damage() {
        return damage;
    }

    /** Sample {@code sample}, 0-based. */
    public SampleEntry entry(int sample) {
        int at = HEADER + Math.multiplyExact(Objects.checkIndex(sample, count), ENTRY);
        String key = new String(
                bytes.array(), keysAt + bytes.getInt(at + 16), bytes.getInt(at + 20), StandardCharsets.UTF_8);
        return new SampleEntry(key, bytes.getLong(at), bytes.getInt(at + 8), bytes.getInt(at + 12));
    }

    public void write(OutputStream out) throws IOException {
        out.write(bytes.array());
    }

    /** Reads an index; null if there is none or it is damaged or of another version, because it can always be built again. */
    public static ShardIndex readOrNull(Path file) throws IOException {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        boolean ours = bytes.length >= HEADER + CRC
                && buffer.getInt(0) == MAGIC
                && buffer.getInt(4) == VERSION
                && (int) crc(bytes, bytes.length - CRC) == buffer.getInt(bytes.length - CRC);
        return ours ? new ShardIndex(bytes) : null;
    }

    private static long crc(byte[] bytes, int length) {
        CRC32 crc = new CRC32();
        crc.update(bytes, 0, length);
        return crc.getValue();
    }
}
