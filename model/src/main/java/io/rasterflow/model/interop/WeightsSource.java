package io.rasterflow.model.interop;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.TensorFile;
import io.rasterflow.model.pickle.PthFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Weights that others wrote.
 *
 * <pre>
 * FILE.safetensors    FILE.pth, .pt, .bin (torch.save)    FOLDER of Hugging Face:
 *   config.json                      sizes
 *   model.safetensors                or model.safetensors.index.json with its shards, or pytorch_model.bin
 * </pre>
 *
 * @param tensors what the files hold
 * @param config config.json of a folder, else an empty object
 */
public record WeightsSource(TensorFile tensors, JsonNode config) {
    private static final String CONFIG = "config.json";
    private static final String WHOLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final String PICKLED = "pytorch_model.bin";
    private static final long LARGEST_JSON = 16 << 20;
    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    /**
     * Opens weights without reading their values.
     *
     * @param parts a file or folder, and further files such as that of a probe head
     * @throws IOException one line that names the file and what is wrong with it
     */
    public static WeightsSource open(List<Path> parts) throws IOException {
        JsonNode config = JSON.createObjectNode();
        List<TensorFile> files = new ArrayList<>();
        for (Path part : parts) {
            if (Files.isDirectory(part)) {
                files.add(folder(part));
                config = json(part.resolve(CONFIG));
            } else {
                files.add(file(part));
            }
        }
        return new WeightsSource(files.size() == 1 ? files.get(0) : new JoinedTensors(parts.get(0), files), config);
    }

    private static TensorFile file(Path file) throws IOException {
        String name = String.valueOf(file.getFileName());
        if (!Files.exists(file)) {
            throw new IOException(file + " does not exist; give a .pth or .safetensors file, or a Hugging Face folder");
        }
        if (name.endsWith(".safetensors")) {
            return Safetensors.read(file);
        }
        if (name.matches(".*\\.(pth|pt|bin)")) {
            return PthFile.read(file);
        }
        throw new IOException(file + " is of no known kind; weights are read from .pth, .pt, .bin and .safetensors"
                + " files and from Hugging Face folders");
    }

    private static TensorFile folder(Path folder) throws IOException {
        if (!Files.isRegularFile(folder.resolve(CONFIG))) {
            throw new IOException(folder + " is no Hugging Face folder of a model: it has no " + CONFIG);
        }
        if (Files.isRegularFile(folder.resolve(WHOLE))) {
            return Safetensors.read(folder.resolve(WHOLE));
        }
        if (Files.isRegularFile(folder.resolve(INDEX))) {
            return shards(folder);
        }
        if (Files.isRegularFile(folder.resolve(PICKLED))) {
            return PthFile.read(folder.resolve(PICKLED));
        }
        throw new IOException(folder + " holds no weights: it has none of " + WHOLE + ", " + INDEX + " and " + PICKLED);
    }

    /** {@code {"weight_map": {NAME: FILE}}}. */
    private static TensorFile shards(Path folder) throws IOException {
        Path index = folder.resolve(INDEX);
        JsonNode map = json(index).path("weight_map");
        Set<String> names = new TreeSet<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String shard = entry.getValue().asText();
            if (!shard.matches("[A-Za-z0-9._-]{1,200}\\.safetensors") || shard.startsWith(".")) {
                throw new IOException(index + " names the file " + shard.replaceAll("\\p{Cntrl}", "?")
                        + ", which is not a safetensors file in the same folder");
            }
            names.add(shard);
        }
        if (names.isEmpty()) {
            throw new IOException(index + " names no files in weight_map");
        }
        List<TensorFile> files = new ArrayList<>();
        for (String name : names) {
            files.add(Safetensors.read(folder.resolve(name)));
        }
        JoinedTensors joined = new JoinedTensors(folder, files);
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            if (!joined.entries().containsKey(entry.getKey())) {
                throw new IOException(
                        index + " promises tensor " + entry.getKey().replaceAll("\\p{Cntrl}", "?") + " in "
                                + entry.getValue().asText() + ", which does not have it");
            }
        }
        return joined;
    }

    private static JsonNode json(Path file) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) > LARGEST_JSON) {
            throw new IOException(file + " is missing or larger than " + LARGEST_JSON + " bytes");
        }
        try {
            JsonNode node = JSON.readTree(Files.readAllBytes(file));
            if (node == null || !node.isObject()) {
                throw new IOException(file + " is not a JSON object");
            }
            return node;
        } catch (JsonProcessingException e) {
            throw new IOException(
                    file + " is broken: "
                            + e.getOriginalMessage().lines().findFirst().orElse("no JSON"),
                    e);
        }
    }
}
