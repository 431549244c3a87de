package io.rasterflow.streams.format;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Walks the entries of an uncompressed tar (v7, ustar, GNU, pax) header by header, without reading contents.
 *
 * <p>It trusts nothing: every header is checked against its checksum, every length against the file, and names and pax
 * headers have a limit, so that no archive makes it allocate more than {@value #MAX_PAX} bytes.
 */
final class TarReader implements Closeable {

    private static final int MAX_NAME = 4096;
    private static final int MAX_PAX = 1 << 20;
    private static final int NEAR = 1 << 16;
    private static final int FAR = 1 << 13;

    /** What an entry is to us. */
    enum Kind {
        FILE,
        /** A file with holes: what is stored is not what it holds. */
        SPARSE,
        /** A file that the tar ends in. */
        CUT,
        /** Folders, links, devices and whatever else has no content of its own. */
        OTHER
    }

    /**
     * @param path as stored, whatever it says
     * @param offset first byte of its content
     */
    record Entry(String path, Kind kind, long offset, long size) {}

    private final String shard;
    private final FileChannel channel;
    private final long end;
    private final ByteBuffer window = ByteBuffer.allocate(NEAR);
    private long windowStart;
    private int windowLength;
    private long at;
    private ShardFormatException pending;

    /**
     * @param shard its name in messages
     * @param limit bytes from here on are taken for missing
     */
    TarReader(Path tar, String shard, long limit) throws IOException {
        this.shard = shard;
        this.channel = FileChannel.open(tar, StandardOpenOption.READ);
        this.end = Math.min(channel.size(), limit);
    }

    /**
     * The next entry; empty at the end-of-archive marker.
     *
     * @throws ShardFormatException if the tar is cut before its marker or damaged; nothing can be read after it
     */
    Optional<Entry> next() throws IOException {
        if (pending != null) {
            throw pending;
        }
        String longName = null;
        Map<String, String> pax = Map.of();
        while (true) {
            long header = at;
            int i = block(header);
            if (TarHeader.isZero(window.array(), i)) {
                return Optional.empty();
            }
            if (!TarHeader.isHeader(window.array(), i)) {
                throw damage(header, "no tar header where one must be (its checksum is wrong)");
            }
            TarHeader block = TarHeader.read(window.array(), i);
            at = header + TarHeader.BLOCK;
            switch (block.type()) {
                case 'L' -> longName = longName(block.size());
                case 'x' -> pax = pax(block.size());
                case 'K', 'g' -> skip(block.size(), block.path());
                default -> {
                    boolean sparse =
                            block.type() == 'S' || pax.keySet().stream().anyMatch(k -> k.startsWith("GNU.sp"));
                    if (block.type() == 'S') {
                        skipSparseHeaders(header);
                    }
                    String path = longName == null ? block.path() : longName;
                    path = pax.getOrDefault("path", pax.getOrDefault("GNU.sparse.name", path));
                    return Optional.of(entry(path, block.type(), sparse, size(block, pax)));
                }
            }
        }
    }

    private Entry entry(String path, char type, boolean sparse, long size) {
        // Links, devices and folders have no content, whatever size their header repeats.
        long stored = type >= '1' && type <= '6' ? 0 : size;
        long offset = at;
        boolean file = (type == '0' || type == '7' || type == 0) && !path.endsWith("/");
        Kind kind = sparse ? Kind.SPARSE : file ? Kind.FILE : Kind.OTHER;
        try {
            skip(stored, path);
        } catch (ShardFormatException e) {
            pending = e; // Told after the entry, whose name says which sample it was.
            kind = Kind.CUT;
        }
        return new Entry(path, kind, offset, stored);
    }

    private long size(TarHeader block, Map<String, String> pax) throws ShardFormatException {
        String text = pax.get("size");
        try {
            return text == null ? block.size() : Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw damage(at, "a pax header with the size '" + SampleKey.printable(text) + "'");
        }
    }

    private void skip(long size, String path) throws ShardFormatException {
        if (size < 0) {
            throw damage(at, SampleKey.printable(path) + " has a size that is no number or negative");
        }
        if (size > end - at) {
            throw damage(
                    end, "the tar ends inside " + SampleKey.printable(path) + " (" + size + " bytes from " + at + ")");
        }
        at += (size + TarHeader.BLOCK - 1) / TarHeader.BLOCK * TarHeader.BLOCK;
    }

    private String longName(long size) throws IOException {
        byte[] name = extra(size, MAX_NAME, "a name");
        return TarHeader.text(name, 0, name.length);
    }

    /** Records of the form {@code LENGTH KEY=VALUE\n}, where LENGTH counts itself and the newline. */
    private Map<String, String> pax(long size) throws IOException {
        long start = at;
        byte[] bytes = extra(size, MAX_PAX, "a pax header");
        Map<String, String> values = new LinkedHashMap<>();
        int from = 0;
        while (from < bytes.length && bytes[from] != 0) {
            int length = 0;
            int i = from;
            while (i < bytes.length && bytes[i] >= '0' && bytes[i] <= '9' && length < MAX_PAX) {
                length = 10 * length + bytes[i++] - '0';
            }
            String record =
                    i < bytes.length && bytes[i] == ' ' && length > i - from + 1 && length <= bytes.length - from
                            ? new String(bytes, i + 1, from + length - i - 1, StandardCharsets.UTF_8)
                            : "";
            int equals = record.indexOf('=');
            if (equals < 1 || !record.endsWith("\n")) {
                throw damage(start + from, "a pax header that cannot be read");
            }
            values.put(record.substring(0, equals), record.substring(equals + 1, record.length() - 1));
            from += length;
        }
        if (values.getOrDefault("path", "").length() > MAX_NAME) {
            throw damage(start, "a name of " + values.get("path").length() + " characters");
        }
        return values;
    }

    private byte[] extra(long size, int limit, String what) throws IOException {
        if (size > limit) {
            throw damage(at, what + " of " + size + " bytes is absurd");
        }
        long from = at;
        skip(size, what);
        return bytes(from, (int) size);
    }

    /** The map of an old GNU sparse file goes on in further blocks. */
    private void skipSparseHeaders(long header) throws IOException {
        boolean more = window.array()[block(header) + TarHeader.SPARSE_CONTINUES] != 0;
        while (more) {
            more = window.array()[block(at) + 504] != 0;
            at += TarHeader.BLOCK;
        }
    }

    /** Content of the shard, which must lie within it. */
    byte[] bytes(long from, int length) throws IOException {
        byte[] bytes = new byte[length];
        if (from >= windowStart && from + length <= windowStart + windowLength) {
            System.arraycopy(window.array(), (int) (from - windowStart), bytes, 0, length);
        } else {
            fill(ByteBuffer.wrap(bytes), from);
        }
        return bytes;
    }

    /** Index of a block in the window. Small steps read far ahead; steps over large images do not. */
    private int block(long from) throws IOException {
        if (from + TarHeader.BLOCK > end) {
            throw from < end
                    ? damage(end, "the tar ends inside a header")
                    : damage(end, "the tar ends without its end-of-archive marker");
        }
        if (from < windowStart || from + TarHeader.BLOCK > windowStart + windowLength) {
            int wanted = from <= windowStart + windowLength + NEAR ? NEAR : FAR;
            windowLength = 0;
            window.clear().limit((int) Math.min(wanted, end - from));
            fill(window, from);
            windowStart = from;
            windowLength = window.limit();
        }
        return (int) (from - windowStart);
    }

    private void fill(ByteBuffer target, long from) throws IOException {
        while (target.hasRemaining()) {
            if (channel.read(target, from + target.position()) < 0) {
                throw damage(from + target.position(), "the file was cut short while it was read");
            }
        }
    }

    private ShardFormatException damage(long offset, String fault) {
        return new ShardFormatException(shard, offset, fault, Damage.FETCH_AGAIN);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
