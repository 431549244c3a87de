package io.rasterflow.model.pickle;

import io.rasterflow.model.checkpoint.ElementType;
import io.rasterflow.model.checkpoint.MappedFile;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.checkpoint.TensorFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A state dict that {@code torch.save} wrote: a zip of one pickle and one entry of raw values per storage.
 *
 * <pre>
 * NAME/data.pkl     what tensors there are (pickle)
 * NAME/data/KEY     little-endian values of one storage
 * NAME/byteorder    "little"; other files beside these do not matter
 * </pre>
 *
 * <p>The dictionary itself, or the one under {@code state_dict} or {@code model}, maps names to tensors.
 */
public final class PthFile implements TensorFile {
    private static final String PICKLE = "/data.pkl";
    private static final int LARGEST_PICKLE = 16 << 20;
    private static final List<String> INNER = List.of("state_dict", "model");

    private final MappedFile file;
    private final StoredZip zip;
    private final String folder;
    private final SortedMap<String, PickledTensor> tensors = new TreeMap<>();

    private PthFile(MappedFile file, StoredZip zip, String folder) {
        this.file = file;
        this.zip = zip;
        this.folder = folder;
    }

    /** @throws IOException one line that names the file and what is wrong with it; nothing in it is ever executed */
    public static PthFile read(Path path) throws IOException {
        MappedFile file = MappedFile.open(path, ".pth");
        if (file.size() < 4 || file.slice(0, 2).getShort(0) != 0x4b50) {
            throw new IOException(
                    path + " is not a zip file, as torch.save has written since PyTorch 1.6; load an older"
                            + " file with torch.load(..., weights_only=True) and save it again");
        }
        StoredZip zip = StoredZip.read(file);
        PthFile result = new PthFile(file, zip, folder(path, zip));
        result.requireLittleEndian();
        result.readPickle();
        return result;
    }

    private static String folder(Path path, StoredZip zip) throws IOException {
        List<String> pickles = zip.entries().keySet().stream()
                .filter(name -> name.endsWith(PICKLE))
                .toList();
        if (pickles.size() != 1) {
            throw new IOException(path + " is no file of torch.save: it has " + pickles.size()
                    + " entries named data.pkl instead of one");
        }
        return pickles.get(0).substring(0, pickles.get(0).length() - PICKLE.length());
    }

    private void requireLittleEndian() throws IOException {
        StoredZip.Range order = zip.entries().get(folder + "/byteorder");
        if (order == null) {
            return;
        }
        byte[] word = new byte[(int) Math.min(order.bytes(), 16)];
        file.slice(order.begin(), word.length).get(word);
        if (!new String(word, StandardCharsets.US_ASCII).equals("little")) {
            throw new IOException(
                    file() + " was written on a big-endian machine; save it again on a little-endian one");
        }
    }

    private void readPickle() throws IOException {
        StoredZip.Range range = zip.entries().get(folder + PICKLE);
        if (range.bytes() > LARGEST_PICKLE) {
            throw new IOException(file() + " has a data.pkl of " + range.bytes()
                    + " bytes; a state dict needs less than " + LARGEST_PICKLE);
        }
        try {
            collect(Unpickler.read(file.slice(range.begin(), range.bytes())));
        } catch (PickleException e) {
            throw new IOException(file() + " has a pickle that is refused: " + e.getMessage(), e);
        }
        for (Map.Entry<String, PickledTensor> tensor : tensors.entrySet()) {
            requireStored(tensor.getKey(), tensor.getValue().storage());
        }
    }

    private void collect(Object root) throws PickleException {
        if (!(root instanceof Map<?, ?> dictionary)) {
            throw new PickleException("it holds no dictionary; save model.state_dict()");
        }
        for (String name : INNER) {
            if (dictionary.get(name) instanceof Map<?, ?> inner) {
                dictionary = inner;
                break;
            }
        }
        for (Map.Entry<?, ?> entry : dictionary.entrySet()) {
            if (!(entry.getKey() instanceof String name) || !(entry.getValue() instanceof PickledTensor tensor)) {
                throw new PickleException("its entry " + Text.shown(String.valueOf(entry.getKey()))
                        + " is not a tensor; save model.state_dict()");
            }
            tensors.put(name, tensor);
        }
    }

    private void requireStored(String name, PickledTensor.Storage storage) throws IOException {
        StoredZip.Range range = zip.entries().get(folder + "/data/" + storage.key());
        if (range == null) {
            throw new IOException(file() + " lacks data/" + storage.key() + ", the values of " + Text.shown(name));
        }
        int bytes = storage.type().bytes();
        if (storage.values() > range.bytes() / bytes) {
            throw new IOException(file() + " has " + range.bytes() + " bytes in data/" + storage.key() + " but "
                    + Text.shown(name) + " needs " + storage.values() + " values of " + bytes + " bytes");
        }
    }

    @Override
    public Path file() {
        return file.file();
    }

    @Override
    public SortedMap<String, Entry> entries() {
        SortedMap<String, Entry> entries = new TreeMap<>();
        tensors.forEach(
                (name, tensor) -> entries.put(name, new Entry(tensor.storage().type(), tensor.shape())));
        return Collections.unmodifiableSortedMap(entries);
    }

    @Override
    public Map<String, String> metadata() {
        return Map.of();
    }

    @Override
    public Tensor floats(String name) throws IOException {
        PickledTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IOException(file() + " has no tensor " + name);
        }
        ElementType type = tensor.storage().type();
        if (!type.floating()) {
            throw new IOException(file() + " has dtype " + type + " for tensor " + Text.shown(name)
                    + " where floating-point numbers belong");
        }
        StoredZip.Range range =
                zip.entries().get(folder + "/data/" + tensor.storage().key());
        ByteBuffer bytes = file.slice(range.begin() + tensor.offset() * type.bytes(), tensor.extent() * type.bytes());
        FloatBuffer values = tensor.contiguous() ? type.floats(bytes) : FloatBuffer.wrap(gather(tensor, type, bytes));
        return new Tensor(tensor.shape(), values.asReadOnlyBuffer());
    }

    /** Values in the order of the shape. */
    private static float[] gather(PickledTensor tensor, ElementType type, ByteBuffer bytes) {
        float[] values = new float[Math.toIntExact(tensor.count())];
        long[] shape = tensor.shape();
        long[] index = new long[shape.length];
        for (int i = 0; i < values.length; i++) {
            long at = 0;
            for (int d = 0; d < shape.length; d++) {
                at += index[d] * tensor.strides()[d];
            }
            values[i] = type.value(bytes, (int) (at * type.bytes()));
            for (int d = shape.length - 1; d >= 0; d--) {
                index[d]++;
                if (index[d] < shape[d]) {
                    break;
                }
                index[d] = 0;
            }
        }
        return values;
    }
}
