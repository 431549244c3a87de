package io.rasterflow.model.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
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
 * <p>Read through a memory map: F32 values are views of the file, other floating-point types are converted when they are
 * asked for. Writes F32. A file comes from outside: every field of the header is checked before anything is allocated
 * from it, and whatever does not hold is a one-line {@link IOException}. A file must not be cut short while it is in use.
 */
public final class Safetensors implements TensorFile {
    private static final int CHUNK_BYTES = 1 << 20;

    private final MappedFile file;
    private final SafetensorsHeader header;
    private final SortedMap<String, Entry> entries = new TreeMap<>();

    private Safetensors(MappedFile file, SafetensorsHeader header) {
        this.file = file;
        this.header = header;
        header.entries().forEach((name, range) -> entries.put(name, range.entry()));
    }

    /** Checks a file's header and maps the file. */
    public static Safetensors read(Path file) throws IOException {
        MappedFile mapped = MappedFile.open(file, ".safetensors");
        return new Safetensors(mapped, SafetensorsHeader.read(mapped));
    }

    @Override
    public Path file() {
        return file.file();
    }

    @Override
    public SortedMap<String, Entry> entries() {
        return Collections.unmodifiableSortedMap(entries);
    }

    @Override
    public Map<String, String> metadata() {
        return header.metadata();
    }

    @Override
    public Tensor floats(String name) throws IOException {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new IOException(file() + " has no tensor " + name);
        }
        if (!entry.type().floating()) {
            throw new IOException(file() + " has dtype " + entry.type() + " for tensor " + SafetensorsHeader.shown(name)
                    + " where floating-point numbers belong");
        }
        FloatBuffer values = entry.type().floats(bytes(name));
        return new Tensor(entry.shape(), values.asReadOnlyBuffer());
    }

    private ByteBuffer bytes(String name) throws IOException {
        SafetensorsHeader.Range range = header.entries().get(name);
        return file.slice(header.dataStart() + range.begin(), range.end() - range.begin());
    }

    /** All floating-point tensors by name, as float32. */
    public SortedMap<String, Tensor> tensors() {
        return tensors("");
    }

    /** The floating-point tensors whose names start with {@code prefix}, under the rest of their names, as float32. */
    public SortedMap<String, Tensor> tensors(String prefix) {
        SortedMap<String, Tensor> selected = new TreeMap<>();
        for (Map.Entry<String, Entry> entry : entries.entrySet()) {
            if (entry.getKey().startsWith(prefix) && entry.getValue().type().floating()) {
                selected.put(entry.getKey().substring(prefix.length()), mapped(entry.getKey()));
            }
        }
        return selected;
    }

    /** A floating-point tensor as float32; NoSuchElementException names it if the file has none of that name. */
    public Tensor tensor(String name) {
        requirePresent(
                name, entries.containsKey(name) && entries.get(name).type().floating());
        return mapped(name);
    }

    /** What has passed the checks fails only when the file changes or the disk breaks. */
    private Tensor mapped(String name) {
        try {
            return floats(name);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /** The values of an int64 tensor; NoSuchElementException names it if the file has none of that name. */
    public long[] longs(String name) {
        requirePresent(name, entries.containsKey(name) && entries.get(name).type() == ElementType.I64);
        try {
            ByteBuffer bytes = bytes(name);
            long[] values = new long[bytes.remaining() / Long.BYTES];
            bytes.asLongBuffer().get(values);
            return values;
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private void requirePresent(String name, boolean present) {
        if (!present) {
            throw new NoSuchElementException(file() + " has no tensor " + name);
        }
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
