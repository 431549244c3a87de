package io.rasterflow.model.interop;

import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.checkpoint.TensorFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Several files as one: the shards of a model, or a backbone and its head. No name may stand in two of them. */
final class JoinedTensors implements TensorFile {
    private final Path file;
    private final Map<String, String> metadata;
    private final SortedMap<String, Entry> entries = new TreeMap<>();
    private final SortedMap<String, TensorFile> owners = new TreeMap<>();

    /** @param file what messages call the whole */
    JoinedTensors(Path file, List<TensorFile> files) throws IOException {
        this.file = file;
        this.metadata = files.get(0).metadata();
        for (TensorFile part : files) {
            for (Map.Entry<String, Entry> entry : part.entries().entrySet()) {
                TensorFile before = owners.put(entry.getKey(), part);
                if (before != null) {
                    throw new IOException(
                            "tensor " + entry.getKey() + " stands both in " + before.file() + " and in " + part.file());
                }
                entries.put(entry.getKey(), entry.getValue());
            }
        }
    }

    @Override
    public Path file() {
        return file;
    }

    @Override
    public SortedMap<String, Entry> entries() {
        return Collections.unmodifiableSortedMap(entries);
    }

    @Override
    public Map<String, String> metadata() {
        return metadata;
    }

    @Override
    public Tensor floats(String name) throws IOException {
        TensorFile owner = owners.get(name);
        if (owner == null) {
            throw new IOException(file + " has no tensor " + name);
        }
        return owner.floats(name);
    }
}
