package io.rasterflow.streams.format;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Streams the items of an IDX file of unsigned bytes, plain or gzip.
 *
 * <pre>
 *  0      2     3      4          8                4+4·D
 *  +------+-----+------+----------+-- ... ---------+---------------------------+
 *  | 0  0 | 08  |  D   | count u32| other dims u32 | count · item bytes        |
 *  +------+-----+------+----------+-- ... ---------+---------------------------+
 *  big-endian; type 08 is unsigned byte; D dimensions, 1 for labels and 3 for grey images
 * </pre>
 */
public final class IdxReader implements AutoCloseable {

    /** First four bytes of a file of grey images. */
    static final int IMAGES_MAGIC = 0x803;

    /** First four bytes of a file of labels. */
    static final int LABELS_MAGIC = 0x801;

    private static final int UNSIGNED_BYTE = 0x08;
    private static final String ADVICE = "the file is damaged or not an IDX file, fetch it again";

    private final String name;
    private final InputStream in;
    private final int[] dimensions;
    private final int itemBytes;

    /** Size of the file; -1 if it is compressed. */
    private final long plainBytes;

    private int read;
    private long offset;

    private IdxReader(String name, InputStream in, int expectedDimensions, long plainBytes) throws IOException {
        this.name = name;
        this.in = in;
        this.plainBytes = plainBytes;
        int magic = readInt();
        int rank = magic & 0xFF;
        if (magic >>> 8 != UNSIGNED_BYTE || rank != expectedDimensions) {
            throw new ShardFormatException(
                    name,
                    0,
                    String.format(
                            "magic is 0x%08x but 0x%08x is needed", magic, UNSIGNED_BYTE << 8 | expectedDimensions),
                    "check that images and labels are not swapped");
        }
        dimensions = new int[rank];
        long item = 1;
        for (int d = 0; d < rank; d++) {
            dimensions[d] = readInt();
            if (dimensions[d] < 0 || (d > 0 && (dimensions[d] < 1 || dimensions[d] > 1 << 15))) {
                throw new ShardFormatException(name, 4L + 4L * d, "dimension " + dimensions[d] + " is absurd", ADVICE);
            }
            item *= d == 0 ? 1 : dimensions[d];
        }
        if (item > 1 << 26) {
            throw new ShardFormatException(name, 4, "an item of " + item + " bytes is absurd", ADVICE);
        }
        itemBytes = (int) item;
    }

    /**
     * Opens a file and checks its header, and for a plain file its length.
     *
     * @param dimensions 1 for labels, 3 for grey images
     * @throws ShardFormatException naming file and offset
     */
    public static IdxReader open(Path file, int dimensions) throws IOException {
        IdxReader reader = open(file, file.toString(), dimensions);
        if (reader.plainBytes >= 0 && reader.plainBytes != reader.expectedBytes()) {
            reader.close();
            throw new ShardFormatException(
                    reader.name,
                    Math.min(reader.plainBytes, reader.expectedBytes()),
                    "the file has " + reader.plainBytes + " bytes but its header promises " + reader.expectedBytes(),
                    ADVICE);
        }
        return reader;
    }

    /**
     * Opens a file and checks its header only, for those who take as many items as there are.
     *
     * @param name of the file in messages
     */
    static IdxReader open(Path file, String name, int dimensions) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new FileNotFoundException("no IDX file at " + file + "; check the path");
        }
        InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
        try {
            raw.mark(2);
            boolean gzip = raw.read() == 0x1f && raw.read() == 0x8b;
            raw.reset();
            InputStream in = gzip ? new BufferedInputStream(new GZIPInputStream(raw, 1 << 16), 1 << 16) : raw;
            return new IdxReader(name, in, dimensions, gzip ? -1 : Files.size(file));
        } catch (IOException | RuntimeException e) {
            raw.close();
            throw e;
        }
    }

    /** Number of items. */
    public int count() {
        return dimensions[0];
    }

    /** Size of dimension {@code d}; 0 is the count, then rows, then columns. */
    public int dimension(int d) {
        return dimensions[d];
    }

    /** Bytes of one item. */
    public int itemBytes() {
        return itemBytes;
    }

    /**
     * Reads the next item into the start of {@code item}; after the last one also checks that the file ends there.
     *
     * @throws ShardFormatException if the file ends early or goes on
     * @throws IllegalStateException after the last item
     */
    public void next(byte[] item) throws IOException {
        if (read == count()) {
            throw new IllegalStateException(name + " has only " + count() + " items");
        }
        readFully(item, itemBytes);
        read++;
        if (read == count() && !ended()) {
            throw new ShardFormatException(
                    name,
                    offset,
                    "bytes follow the last of the " + count() + " items that the header promises",
                    ADVICE);
        }
    }

    private long expectedBytes() {
        return 4 + 4L * dimensions.length + (long) count() * itemBytes;
    }

    /** Whether nothing follows; for gzip also whether its checksum holds. */
    private boolean ended() throws IOException {
        try {
            return in.read() < 0;
        } catch (EOFException | ZipException e) {
            throw broken(e);
        }
    }

    private ShardFormatException broken(IOException e) {
        return new ShardFormatException(name, offset, "the gzip stream is broken: " + e.getMessage(), ADVICE);
    }

    private int readInt() throws IOException {
        byte[] b = new byte[4];
        readFully(b, 4);
        return (b[0] & 0xFF) << 24 | (b[1] & 0xFF) << 16 | (b[2] & 0xFF) << 8 | (b[3] & 0xFF);
    }

    private void readFully(byte[] target, int length) throws IOException {
        int got;
        try {
            got = in.readNBytes(target, 0, length);
        } catch (EOFException | ZipException e) {
            throw broken(e);
        }
        offset += got;
        if (got < length) {
            throw new ShardFormatException(
                    name, offset, "the file ends after " + read + " items, in the middle of header or item", ADVICE);
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
