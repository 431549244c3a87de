package io.rasterflow.model.program;

import io.rasterflow.model.checkpoint.Tensor;
import java.io.BufferedOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes PyTorch's zip files that hold tensors: state dicts (.pth) and TorchScript modules with parameters (.pt). Entries
 * are stored, and values begin at multiples of 64 bytes, so that a reader may map them.
 *
 * <pre>
 * NAME/data.pkl                      a dictionary of tensors, or a module
 * NAME/code/__torch__/LIBRARY.py     of a module: its source text
 * NAME/data/0, NAME/data/1, ...      little-endian float32 values
 * NAME/byteorder, NAME/version
 * </pre>
 */
public final class TensorArchive {
    private static final int ALIGNMENT = 64;
    private static final int LOCAL_HEADER_BYTES = 30;
    private static final int EXTRA_HEADER_BYTES = 4;
    private static final int CHUNK_FLOATS = 1 << 16;

    private final String name;
    private final Counting counting;
    private final ZipOutputStream zip;
    private final ByteBuffer chunk =
            ByteBuffer.allocate(CHUNK_FLOATS * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);

    private TensorArchive(String name, OutputStream file) {
        this.name = name;
        counting = new Counting(new BufferedOutputStream(file, 1 << 16));
        zip = new ZipOutputStream(counting);
    }

    /** Writes a state dict that {@code torch.load} reads. */
    public static void writeStateDict(Path file, SortedMap<String, Tensor> tensors) throws IOException {
        Map<String, Pickle.StoredTensor> stored = new LinkedHashMap<>();
        tensors.forEach((name, tensor) ->
                stored.put(name, new Pickle.StoredTensor(Integer.toString(stored.size()), shape(tensor), false)));
        TensorArchive archive = new TensorArchive("archive", Files.newOutputStream(file));
        try (archive.zip) {
            archive.store("data.pkl", Pickle.stateDict(stored));
            archive.storeTail(List.copyOf(tensors.values()), "3\n");
        }
    }

    /**
     * Writes a module that {@code torch.jit.load} reads, with tensors as parameters in a tree of submodules that follows
     * the dots of their names.
     *
     * @param library file of the module's class; also the archive's name
     * @param type the module's class; attributes that hold submodules have classes {@link #submoduleType}
     * @param sources source text by library
     * @param attributes of the module besides its submodules
     * @param buffers names of those tensors that are not parameters
     */
    public static void writeModule(
            Path file,
            String library,
            String type,
            Map<String, String> sources,
            Map<String, Object> attributes,
            SortedMap<String, Tensor> tensors,
            List<String> buffers)
            throws IOException {
        Map<String, Object> all = new LinkedHashMap<>(attributes);
        int number = 0;
        for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
            boolean leaf = !buffers.contains(tensor.getKey());
            String key = Integer.toString(number);
            place(all, library, "", tensor.getKey(), new Pickle.StoredTensor(key, shape(tensor.getValue()), leaf));
            number++;
        }
        TensorArchive archive = new TensorArchive(library, Files.newOutputStream(file));
        try (archive.zip) {
            archive.store("data.pkl", Pickle.module("__torch__." + library, type, all));
            archive.store("constants.pkl", Pickle.emptyTuple());
            for (Map.Entry<String, String> source : sources.entrySet()) {
                archive.store(
                        "code/__torch__/" + source.getKey() + ".py",
                        source.getValue().getBytes(StandardCharsets.UTF_8));
            }
            archive.storeTail(List.copyOf(tensors.values()), "10\n");
        }
    }

    /** Class of the submodule at a path such as {@code trunk.blocks}. */
    public static String submoduleType(String path) {
        return "M_" + path.replace('.', '_');
    }

    private static void place(
            Map<String, Object> attributes, String library, String path, String rest, Pickle.StoredTensor tensor) {
        int dot = rest.indexOf('.');
        if (dot < 0) {
            attributes.put(rest, tensor);
            return;
        }
        String head = rest.substring(0, dot);
        String child = path.isEmpty() ? head : path + "." + head;
        Pickle.Submodule submodule = (Pickle.Submodule) attributes.computeIfAbsent(
                head, key -> new Pickle.Submodule("__torch__." + library, submoduleType(child), new LinkedHashMap<>()));
        place(submodule.attributes(), library, child, rest.substring(dot + 1), tensor);
    }

    private static List<Integer> shape(Tensor tensor) {
        return Arrays.stream(tensor.shape()).mapToObj(Math::toIntExact).toList();
    }

    private void storeTail(List<Tensor> tensors, String version) throws IOException {
        for (int i = 0; i < tensors.size(); i++) {
            store("data/" + i, tensors.get(i).values());
        }
        store("byteorder", "little".getBytes(StandardCharsets.US_ASCII));
        store("version", version.getBytes(StandardCharsets.US_ASCII));
    }

    private void store(String path, byte[] content) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(content);
        zip.putNextEntry(entry(path, content.length, crc.getValue()));
        zip.write(content);
        zip.closeEntry();
    }

    private void store(String path, FloatBuffer values) throws IOException {
        CRC32 crc = new CRC32();
        long bytes = (long) values.capacity() * Float.BYTES;
        for (int at = 0; at < values.capacity(); at += CHUNK_FLOATS) {
            crc.update(fill(values, at));
        }
        zip.putNextEntry(entry(path, bytes, crc.getValue()));
        for (int at = 0; at < values.capacity(); at += CHUNK_FLOATS) {
            zip.write(chunk.array(), 0, fill(values, at).remaining());
        }
        zip.closeEntry();
    }

    private ByteBuffer fill(FloatBuffer values, int at) {
        int floats = Math.min(CHUNK_FLOATS, values.capacity() - at);
        chunk.clear().asFloatBuffer().put(values.slice(at, floats));
        return chunk.limit(floats * Float.BYTES);
    }

    private ZipEntry entry(String path, long bytes, long crc) {
        ZipEntry entry = new ZipEntry(name + "/" + path);
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(bytes);
        entry.setCompressedSize(bytes);
        entry.setCrc(crc);
        entry.setTime(0);
        long begin = counting.count
                + LOCAL_HEADER_BYTES
                + EXTRA_HEADER_BYTES
                + entry.getName().getBytes(StandardCharsets.UTF_8).length;
        int padding = (int) Math.floorMod(-begin, (long) ALIGNMENT);
        ByteBuffer extra = ByteBuffer.allocate(EXTRA_HEADER_BYTES + padding).order(ByteOrder.LITTLE_ENDIAN);
        extra.put((byte) 'F').put((byte) 'B').putShort((short) padding);
        entry.setExtra(extra.array());
        return entry;
    }

    /** Knows where in the file the next byte goes. */
    private static final class Counting extends FilterOutputStream {
        private long count;

        private Counting(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int b) throws IOException {
            out.write(b);
            count++;
        }

        @Override
        public void write(byte[] bytes, int from, int length) throws IOException {
            out.write(bytes, from, length);
            count += length;
        }
    }
}
