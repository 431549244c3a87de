package io.rasterflow.model.interop;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.program.TensorArchive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Hands a model's weights to others. The target appears whole or not at all. */
public final class WeightsExport {

    /** What is written. */
    public enum Format {
        /** A state dict for torch.load. */
        PTH,
        /** One safetensors file. */
        SAFETENSORS,
        /** A folder with config.json, model.safetensors and a model card. */
        HUGGINGFACE,
        /** A module with its weights for torch.jit.load, in Python or C++. */
        TORCHSCRIPT
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    private WeightsExport() {}

    /**
     * The parameters under the names of ml-aim: trunk and, if there is one, attentive probe head.
     *
     * @param pixelHead whether the head of the pre-training, which ml-aim does not know, comes along
     */
    public static SortedMap<String, Tensor> tensors(ExportedModel model, boolean pixelHead) {
        SortedMap<String, Tensor> tensors = new TreeMap<>(model.weights());
        if (!pixelHead) {
            tensors.keySet().removeIf(name -> !MlAim.isTrunk(name));
        }
        model.probe().ifPresent(probe -> tensors.putAll(probe.tensors()));
        return tensors;
    }

    /**
     * @param out file, or folder of {@link Format#HUGGINGFACE}; must not exist
     * @throws IOException naming the target
     */
    public static void write(Format format, Path out, ExportedModel model, boolean pixelHead) throws IOException {
        if (Files.exists(out)) {
            throw new IOException(out + " exists already; remove it or give another --out");
        }
        Path target = out.toAbsolutePath();
        Files.createDirectories(target.getParent());
        Path temporary = target.resolveSibling(
                "." + target.getFileName() + "-" + ProcessHandle.current().pid() + ".tmp");
        try {
            SortedMap<String, Tensor> tensors = tensors(model, pixelHead);
            switch (format) {
                case PTH -> TensorArchive.writeStateDict(temporary, tensors);
                case SAFETENSORS -> Safetensors.write(temporary, tensors, metadata(model));
                case HUGGINGFACE -> writeFolder(temporary, model, tensors);
                case TORCHSCRIPT -> ScriptExport.write(temporary, model);
            }
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            delete(temporary);
        }
    }

    private static void writeFolder(Path folder, ExportedModel model, SortedMap<String, Tensor> tensors)
            throws IOException {
        Files.createDirectory(folder);
        Safetensors.write(folder.resolve("model.safetensors"), tensors, metadata(model));
        JSON.writerWithDefaultPrettyPrinter()
                .writeValue(folder.resolve("config.json").toFile(), config(model));
        Files.writeString(folder.resolve("README.md"), ModelCard.text(model));
    }

    /** The arguments of ml-aim's constructor and nothing else: it refuses what it does not know. */
    private static ObjectNode config(ExportedModel model) {
        AimConfig config = model.config();
        ObjectNode node = JSON.createObjectNode()
                .put("img_size", config.imageSize())
                .put("patch_size", config.patchSize())
                .put("num_channels", config.channels())
                .put("embed_dim", config.trunk().dim())
                .put("num_blocks", config.trunk().blocks())
                .put("num_heads", config.trunk().heads());
        model.layers().forEach(node.putArray("probe_layers")::add);
        model.probe().ifPresent(probe -> node.put("num_classes", probe.classes()));
        return node;
    }

    private static Map<String, String> metadata(ExportedModel model) {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("format", "pt");
        metadata.put(MlAim.IMAGE_SIZE, Integer.toString(model.config().imageSize()));
        metadata.put(MlAim.HEADS, Integer.toString(model.config().trunk().heads()));
        metadata.put(MlAim.NORM_EPS, Double.toString(model.config().normEps()));
        metadata.put(MlAim.EVAL_RESIZE, Integer.toString(model.preprocessing().evalResize()));
        metadata.put(MlAim.MEAN, model.preprocessing().mean().toString());
        metadata.put(MlAim.STD, model.preprocessing().std().toString());
        return metadata;
    }

    private static void delete(Path left) throws IOException {
        if (Files.exists(left)) {
            List<Path> paths;
            try (Stream<Path> walk = Files.walk(left)) {
                paths = walk.sorted(Comparator.reverseOrder()).toList();
            }
            for (Path path : paths) {
                Files.delete(path);
            }
        }
    }
}
