package io.rasterflow.actors.embed;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Writes an array in NumPy's format, whose shape is known from the start. The file appears when it is complete.
 *
 * <pre>
 * | 93 'NUMPY' | 01 00 | n: u16 little-endian | header: n bytes | values, little-endian, row-major |
 * header: {'descr': '&lt;f4', 'fortran_order': False, 'shape': (2, 3), } blanks newline; the values begin at a multiple of 64
 * </pre>
 */
public final class NpyWriter implements Closeable {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    private static final int ALIGNMENT = 64;

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;
    private long missing;
    private boolean complete;

    private NpyWriter(Path target, String type, int valueBytes, long[] shape) throws IOException {
        this.target = target.toAbsolutePath();
        Files.createDirectories(this.target.getParent());
        temporary = this.target.resolveSibling(
                "." + target.getFileName() + "-" + ProcessHandle.current().pid() + ".tmp");
        missing = Arrays.stream(shape).reduce(valueBytes, Math::multiplyExact);
        channel = FileChannel.open(
                temporary, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
        writeFully(header(type, shape));
    }

    /** Float32 values. */
    public static NpyWriter floats(Path target, long... shape) throws IOException {
        return new NpyWriter(target, "<f4", Float.BYTES, shape);
    }

    /** Int64 values. */
    public static NpyWriter longs(Path target, long... shape) throws IOException {
        return new NpyWriter(target, "<i8", Long.BYTES, shape);
    }

    private static ByteBuffer header(String type, long[] shape) {
        String sizes = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
        String text = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + sizes
                + (shape.length == 1 ? "," : "") + "), }";
        int blanks = Math.floorMod(-(MAGIC.length + Short.BYTES + text.length() + 1), ALIGNMENT);
        byte[] line = (text + " ".repeat(blanks) + "\n").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer header = ByteBuffer.allocate(MAGIC.length + Short.BYTES + line.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(MAGIC)
                .putShort((short) line.length)
                .put(line);
        return header.flip();
    }

    /** Appends float32 values. */
    public void write(float[] values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        append(bytes);
    }

    /** Appends int64 values. */
    public void write(long[] values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asLongBuffer().put(values);
        append(bytes);
    }

    private void append(ByteBuffer bytes) throws IOException {
        missing -= bytes.remaining();
        if (missing < 0) {
            throw new IllegalArgumentException("more values than the shape of " + target + " has");
        }
        writeFully(bytes);
    }

    private void writeFully(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Puts the file in its place. */
    public void finish() throws IOException {
        if (missing != 0) {
            throw new IOException(target + " lacks " + missing + " bytes of what its shape has");
        }
        channel.force(true);
        channel.close();
        Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        complete = true;
    }

    @Override
    public void close() throws IOException {
        if (!complete) {
            channel.close();
            Files.deleteIfExists(temporary);
        }
    }
}
