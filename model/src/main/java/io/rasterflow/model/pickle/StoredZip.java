package io.rasterflow.model.pickle;

import io.rasterflow.model.checkpoint.MappedFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The directory of a zip whose entries are all stored, as PyTorch writes them: each entry is a range of the file.
 *
 * <pre>
 * | local header | name | extra | data | ... | central directory | [zip64 end | zip64 locator] | end of directory |
 * </pre>
 *
 * <p>Entries that are compressed, encrypted, overlap or lie outside the file are refused, so that nothing that is read
 * is larger than the file.
 */
final class StoredZip {
    private static final int END = 0x06054b50;
    private static final int END_BYTES = 22;
    private static final int END64 = 0x06064b50;
    private static final int END64_BYTES = 56;
    private static final int LOCATOR64 = 0x07064b50;
    private static final int LOCATOR64_BYTES = 20;
    private static final int CENTRAL = 0x02014b50;
    private static final int CENTRAL_BYTES = 46;
    private static final int LOCAL = 0x04034b50;
    private static final int LOCAL_BYTES = 30;
    private static final int LONGEST_COMMENT = 0xFFFF;
    private static final int LARGEST_DIRECTORY = 64 << 20;
    private static final long ABSENT32 = 0xFFFFFFFFL;

    /**
     * Where the data of an entry lie.
     *
     * @param begin first byte in the file
     * @param bytes length
     */
    record Range(long begin, long bytes) {}

    private final MappedFile file;
    private final Map<String, Range> entries = new TreeMap<>();

    private StoredZip(MappedFile file) {
        this.file = file;
    }

    static StoredZip read(MappedFile file) throws IOException {
        StoredZip zip = new StoredZip(file);
        zip.readDirectory();
        zip.requireApart();
        return zip;
    }

    /** Ranges by name. */
    Map<String, Range> entries() {
        return Collections.unmodifiableMap(entries);
    }

    private void readDirectory() throws IOException {
        long tail = Math.min(file.size(), END_BYTES + LONGEST_COMMENT);
        ByteBuffer end = file.slice(file.size() - tail, tail);
        int at = end.limit() - END_BYTES;
        while (at >= 0 && end.getInt(at) != END) {
            at--;
        }
        require(at >= 0, "is no zip file or is cut off: it has no directory at its end");
        long endAt = file.size() - tail + at;
        long count = Short.toUnsignedInt(end.getShort(at + 10));
        long bytes = Integer.toUnsignedLong(end.getInt(at + 12));
        long begin = Integer.toUnsignedLong(end.getInt(at + 16));
        if (endAt >= LOCATOR64_BYTES) {
            ByteBuffer locator = file.slice(endAt - LOCATOR64_BYTES, LOCATOR64_BYTES);
            if (locator.getInt(0) == LOCATOR64) {
                ByteBuffer end64 = slice(locator.getLong(8), END64_BYTES, "the zip64 end of its directory");
                require(end64.getInt(0) == END64, "has a broken zip64 directory");
                count = end64.getLong(32);
                bytes = end64.getLong(40);
                begin = end64.getLong(48);
            }
        }
        require(bytes >= 0 && bytes <= LARGEST_DIRECTORY, "has a zip directory of " + bytes + " bytes");
        require(
                count >= 0 && count <= bytes / CENTRAL_BYTES,
                "has a zip directory of " + bytes + " bytes for " + count + " entries");
        readEntries(slice(begin, bytes, "its zip directory"), count);
    }

    private void readEntries(ByteBuffer directory, long count) throws IOException {
        int at = 0;
        for (long i = 0; i < count; i++) {
            require(
                    at + CENTRAL_BYTES <= directory.limit() && directory.getInt(at) == CENTRAL,
                    "has a broken zip directory: entry " + i + " of " + count + " is missing");
            int nameBytes = Short.toUnsignedInt(directory.getShort(at + 28));
            int extraBytes = Short.toUnsignedInt(directory.getShort(at + 30));
            int commentBytes = Short.toUnsignedInt(directory.getShort(at + 32));
            int next = at + CENTRAL_BYTES + nameBytes + extraBytes + commentBytes;
            require(next <= directory.limit(), "has a broken zip directory: entry " + i + " runs over its end");
            byte[] utf8 = new byte[nameBytes];
            directory.get(at + CENTRAL_BYTES, utf8);
            String name = new String(utf8, StandardCharsets.UTF_8);
            readEntry(name, directory, at, directory.slice(at + CENTRAL_BYTES + nameBytes, extraBytes));
            at = next;
        }
    }

    private void readEntry(String name, ByteBuffer directory, int at, ByteBuffer extra) throws IOException {
        String what = "has the zip entry " + Text.shown(name);
        int flags = Short.toUnsignedInt(directory.getShort(at + 8));
        int method = Short.toUnsignedInt(directory.getShort(at + 10));
        require((flags & 1) == 0, what + ", which is encrypted");
        require(method == 0, what + ", which is compressed (method " + method + "); PyTorch stores its entries");
        long[] sizes = {
            Integer.toUnsignedLong(directory.getInt(at + 24)),
            Integer.toUnsignedLong(directory.getInt(at + 20)),
            Integer.toUnsignedLong(directory.getInt(at + 42))
        };
        widen(extra.order(directory.order()), sizes);
        require(sizes[0] == sizes[1], what + ", stored in " + sizes[1] + " bytes but said to have " + sizes[0]);
        ByteBuffer local = slice(sizes[2], LOCAL_BYTES, what);
        require(local.getInt(0) == LOCAL, what + " without a header at byte " + sizes[2]);
        long begin = sizes[2]
                + LOCAL_BYTES
                + Short.toUnsignedInt(local.getShort(26))
                + Short.toUnsignedInt(local.getShort(28));
        require(
                sizes[0] >= 0 && begin <= file.size() && sizes[0] <= file.size() - begin,
                what + " of " + sizes[0] + " bytes from byte " + begin + ", beyond the end of the file at "
                        + file.size());
        require(entries.put(name, new Range(begin, sizes[0])) == null, what + " twice");
    }

    /** The zip64 extra field holds, in this order, those of size, stored size and offset that 32 bits could not. */
    private static void widen(ByteBuffer extra, long[] sizes) {
        int at = 0;
        while (at + 4 <= extra.limit()) {
            int id = Short.toUnsignedInt(extra.getShort(at));
            int end = Math.min(extra.limit(), at + 4 + Short.toUnsignedInt(extra.getShort(at + 2)));
            int field = at + 4;
            for (int i = 0; id == 1 && i < sizes.length; i++) {
                if (sizes[i] == ABSENT32 && field + Long.BYTES <= end) {
                    sizes[i] = extra.getLong(field);
                    field += Long.BYTES;
                }
            }
            at = end;
        }
    }

    /** Entries that share bytes let a small file claim much data. */
    private void requireApart() throws IOException {
        List<Map.Entry<String, Range>> ordered = new ArrayList<>(entries.entrySet());
        ordered.sort(Comparator.comparingLong(entry -> entry.getValue().begin()));
        long end = 0;
        for (Map.Entry<String, Range> entry : ordered) {
            require(
                    entry.getValue().begin() >= end,
                    "has the zip entry " + Text.shown(entry.getKey()) + " over the one before it");
            end = entry.getValue().begin() + entry.getValue().bytes();
        }
    }

    private ByteBuffer slice(long begin, long bytes, String what) throws IOException {
        require(
                begin >= 0 && begin <= file.size() && bytes <= file.size() - begin,
                "is cut off or no zip file: " + what + " should lie at byte " + begin + " of " + file.size());
        return file.slice(begin, bytes);
    }

    private void require(boolean condition, String message) throws IOException {
        if (!condition) {
            throw new IOException(file.file() + " " + message);
        }
    }
}
