package io.rasterflow.model.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * A file that is mapped into memory read-only, in windows, so that it may be larger than 2 GiB. Nothing is copied, and
 * nothing beyond the file's size can be asked for.
 *
 * <pre>
 * window k   | k GiB ............ (k+1) GiB ............ (k+2) GiB - 1 |      a slice begins in the first half of its window
 * window k+1                    | (k+1) GiB ...
 * </pre>
 */
public final class MappedFile {
    private static final long STRIDE = 1L << 30;

    private final Path file;
    private final long size;
    private final Map<Long, ByteBuffer> windows = new HashMap<>();

    private MappedFile(Path file, long size) {
        this.file = file;
        this.size = size;
    }

    /** @throws IOException one line, if there is no such file */
    public static MappedFile open(Path file, String kind) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file; give the path of a " + kind + " file");
        }
        return new MappedFile(file, Files.size(file));
    }

    public Path file() {
        return file;
    }

    /** Bytes of the file when it was opened. */
    public long size() {
        return size;
    }

    /**
     * A read-only little-endian view.
     *
     * @param begin first byte in the file
     * @param bytes at most 2³¹ - 1
     * @throws IOException if the range does not lie in the file, or the file can no longer be mapped
     */
    public ByteBuffer slice(long begin, long bytes) throws IOException {
        if (begin < 0 || bytes < 0 || bytes > Integer.MAX_VALUE || begin > size - bytes) {
            throw new IOException(
                    file + " has " + size + " bytes, so that " + bytes + " from byte " + begin + " cannot be read");
        }
        if (bytes == 0) {
            return ByteBuffer.allocate(0).order(ByteOrder.LITTLE_ENDIAN);
        }
        if (bytes > STRIDE) {
            return map(begin, bytes);
        }
        long number = begin / STRIDE;
        ByteBuffer window = windows.get(number);
        if (window == null) {
            window = map(number * STRIDE, Math.min(size - number * STRIDE, Integer.MAX_VALUE));
            windows.put(number, window);
        }
        return window.slice((int) (begin - number * STRIDE), (int) bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private ByteBuffer map(long begin, long bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            if (channel.size() < begin + bytes) {
                throw new IOException(file + " became shorter while it was read: " + channel.size() + " bytes, not "
                        + size + "; write it again");
            }
            return channel.map(FileChannel.MapMode.READ_ONLY, begin, bytes).order(ByteOrder.LITTLE_ENDIAN);
        }
    }
}
