package io.rasterflow.model.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A safetensors file.
 *
 * <pre>
 * | n: u64 little-endian | header: n bytes of JSON | data |
 * header: {"__metadata__": {string: string}, NAME: {"dtype", "shape", "data_offsets": [begin, end)}}
 * </pre>
 *
 * <p>Reads F32 and I64 little-endian row-major, writes F32. A file comes from outside: every field of the header is
 * checked before anything is allocated from it, and whatever does not hold is a one-line {@link IOException}.
 */
public final class Safetensors {
    private static final int CHUNK_BYTES = 1 << 20;

    private final Path file;
    private final SafetensorsHeader header;
    private final SortedMap<String, Tensor> floats = new TreeMap<>();
    private final SortedMap<String, long[]> longs = new TreeMap<>();

    private Safetensors(Path file, SafetensorsHeader header) {
        this.file = file;
        this.header = header;
    }

    /** Reads a whole file into memory. */
    public static Safetensors read(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + " is not a file; give the path of a .safetensors file");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            SafetensorsHeader header = SafetensorsHeader.read(file, channel);
            Safetensors result = new Safetensors(file, header);
            for (Map.Entry<String, SafetensorsHeader.Entry> entry :
                    header.entries().entrySet()) {
                result.readTensor(channel, entry.getKey(), entry.getValue());
            }
            return result;
        }
    }

    private void readTensor(FileChannel channel, String name, SafetensorsHeader.Entry entry) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate((int) (entry.end() - entry.begin()));
        readFully(channel, bytes, header.dataStart() + entry.begin());
        bytes.flip().order(ByteOrder.LITTLE_ENDIAN);
        if (entry.dtype().equals(SafetensorsHeader.F32)) {
            floats.put(name, new Tensor(entry.shape(), bytes.asFloatBuffer().asReadOnlyBuffer()));
        } else {
            long[] values = new long[bytes.remaining() / Long.BYTES];
            bytes.asLongBuffer().get(values);
            longs.put(name, values);
        }
    }

    static void readFully(FileChannel channel, ByteBuffer into, long position) throws IOException {
        long at = position;
        while (into.hasRemaining()) {
            int read = channel.read(into, at);
            if (read < 0) {
                throw new EOFException("the file ended at byte " + at + " while it was read");
            }
            at += read;
        }
    }

    /** The header's free-form strings; empty if there are none. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** All float32 tensors by name. */
    public SortedMap<String, Tensor> tensors() {
        return Collections.unmodifiableSortedMap(floats);
    }

    /** The float32 tensors whose names start with {@code prefix}, under the rest of their names. */
    public SortedMap<String, Tensor> tensors(String prefix) {
        SortedMap<String, Tensor> selected = new TreeMap<>();
        floats.forEach((name, tensor) -> {
            if (name.startsWith(prefix)) {
                selected.put(name.substring(prefix.length()), tensor);
            }
        });
        return selected;
    }

    /** A float32 tensor; NoSuchElementException names it if the file has none of that name. */
    public Tensor tensor(String name) {
        return present(name, floats.get(name));
    }

    /** The values of an int64 tensor; NoSuchElementException names it if the file has none of that name. */
    public long[] longs(String name) {
        return present(name, longs.get(name)).clone();
    }

    private <T> T present(String name, T value) {
        if (value == null) {
            throw new NoSuchElementException(file + " has no tensor " + name);
        }
        return value;
    }

    /**
     * Writes float32 tensors in name order and forces them to the disk.
     *
     * @throws IllegalArgumentException if a tensor's values do not fill its shape
     */
    public static void write(Path file, SortedMap<String, Tensor> tensors, Map<String, String> metadata)
            throws IOException {
        byte[] json = SafetensorsHeader.json(tensors, metadata);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            writeFully(channel, length.putLong(json.length).flip());
            writeFully(channel, ByteBuffer.wrap(json));
            ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES).order(ByteOrder.LITTLE_ENDIAN);
            for (Tensor tensor : tensors.values()) {
                FloatBuffer values = tensor.values().duplicate().rewind();
                while (values.hasRemaining()) {
                    int floats = Math.min(values.remaining(), CHUNK_BYTES / Float.BYTES);
                    chunk.clear().asFloatBuffer().put(values.slice(values.position(), floats));
                    values.position(values.position() + floats);
                    writeFully(channel, chunk.limit(floats * Float.BYTES));
                }
            }
            channel.force(true);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
