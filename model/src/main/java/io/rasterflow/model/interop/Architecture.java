package io.rasterflow.model.interop;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.model.checkpoint.TensorFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a set of weights says about the model that it belongs to, as configuration entries. Widths and depths come from
 * the tensors' shapes; heads and image size, which shapes do not show, from config.json, from the file's own metadata, or
 * are those of the public AIM models.
 */
public final class Architecture {
    static final String PATCHES = "preprocessor.patchifier.proj.weight";
    static final String POSITIONS = "preprocessor.pos_embed";

    /** Every public AIM model has heads of 128 channels and 224-pixel images. */
    private static final Set<Integer> PUBLIC_WIDTHS = Set.of(1536, 2048, 3072, 4096);

    private static final int PUBLIC_HEAD_WIDTH = 128;
    private static final int PUBLIC_IMAGE = 224;
    private static final int MOST_BLOCKS = 1000;

    private final TensorFile tensors;
    private final JsonNode config;
    private final Map<String, String> settings = new LinkedHashMap<>();

    private Architecture(WeightsSource source) {
        this.tensors = source.tensors();
        this.config = source.config();
    }

    /**
     * Configuration entries by their paths, such as {@code model.trunk.dim}.
     *
     * @param given paths that the user has set; they are left out
     * @throws IOException one line, if the weights are not those of an AIM model or something has to be said by hand
     */
    public static Map<String, String> settings(WeightsSource source, Set<String> given) throws IOException {
        Architecture architecture = new Architecture(source);
        architecture.infer(given);
        architecture.settings.keySet().removeAll(given);
        return architecture.settings;
    }

    private void infer(Set<String> given) throws IOException {
        long[] patches = shape(PATCHES, 4);
        if (patches[2] != patches[3]) {
            throw new IOException(
                    tensors.file() + " has patches of " + Arrays.toString(patches) + ", which are not square");
        }
        int dim = Math.toIntExact(patches[0]);
        int patch = Math.toIntExact(patches[2]);
        int blocks = count("trunk.blocks.", ".norm_1.weight");
        requireAgreement("embed_dim", dim);
        requireAgreement("num_blocks", blocks);
        requireAgreement("patch_size", patch);
        requireAgreement("num_channels", patches[1]);
        int size = imageSize(dim, patch, given.contains("model.imageSize"));
        settings.put("model.imageSize", Integer.toString(size));
        settings.put("model.patchSize", Integer.toString(patch));
        settings.put("model.channels", Long.toString(patches[1]));
        settings.put("model.trunk.dim", Integer.toString(dim));
        settings.put("model.trunk.blocks", Integer.toString(blocks));
        settings.put("model.trunk.heads", Integer.toString(heads(dim, given.contains("model.trunk.heads"))));
        if (tensors.entries().containsKey("head.decoder_projection.weight")) {
            settings.put("model.head.dim", Long.toString(shape("head.decoder_projection.weight", 2)[0]));
            settings.put("model.head.blocks", Integer.toString(count("head.decoder_blocks.", ".norm_1.weight")));
        }
        preprocessing(size, Math.toIntExact(patches[1]));
        probe();
    }

    /** Which blocks a probe head reads, if config.json says it, and how many classes it tells apart. */
    private void probe() {
        JsonNode layers = config.path("probe_layers");
        if (layers.isInt() && layers.intValue() > 0) {
            settings.put("probe.layers", "last" + layers.intValue());
        } else if (layers.isArray() && !layers.isEmpty() && layers.size() <= MOST_BLOCKS) {
            List<String> blocks = new ArrayList<>();
            layers.forEach(block -> blocks.add(Integer.toString(block.asInt(-1))));
            settings.put("probe.layers", "\"" + String.join(",", blocks) + "\"");
        }
        TensorFile.Entry linear = tensors.entries().get(ProbeHead.LINEAR);
        if (linear != null && linear.shape().length == 2) {
            settings.put("probe.classes", Long.toString(linear.shape()[0]));
        }
    }

    private long[] shape(String name, int rank) throws IOException {
        TensorFile.Entry entry = tensors.entries().get(name);
        if (entry == null
                || entry.shape().length != rank
                || Arrays.stream(entry.shape()).anyMatch(n -> n < 1)) {
            throw new IOException(tensors.file() + " holds no AIM model: it has "
                    + (entry == null ? "no tensor " + name : name + " as " + entry)
                    + "; checkpoints of ml-aim (aim-v1) have it with " + rank + " dimensions");
        }
        return entry.shape();
    }

    /** How many of the numbered names from 0 on exist. */
    private int count(String before, String after) {
        int count = 0;
        while (count < MOST_BLOCKS && tensors.entries().containsKey(before + count + after)) {
            count++;
        }
        return count;
    }

    private void requireAgreement(String key, long actual) throws IOException {
        if (config.has(key) && config.get(key).asLong(-1) != actual) {
            throw new IOException(
                    tensors.file() + " has " + key + " " + actual + " but its config.json says " + config.get(key));
        }
    }

    private int imageSize(int dim, int patch, boolean given) throws IOException {
        for (String key : new String[] {"img_size", "image_size"}) {
            JsonNode size = config.path(key);
            if (size.isArray() && size.size() == 2 && size.get(0).equals(size.get(1))) {
                size = size.get(0);
            }
            if (size.isInt() && size.intValue() > 0) {
                return size.intValue();
            }
        }
        TensorFile.Entry positions = tensors.entries().get(POSITIONS);
        if (positions != null && positions.shape().length >= 2) {
            long count = positions.shape()[positions.shape().length - 2];
            long side = Math.round(Math.sqrt(count));
            if (side * side == count && side < 10_000) {
                return Math.toIntExact(side) * patch;
            }
        }
        if (tensors.metadata().getOrDefault(MlAim.IMAGE_SIZE, "").matches("\\d{1,5}")) {
            return Integer.parseInt(tensors.metadata().get(MlAim.IMAGE_SIZE));
        }
        if (PUBLIC_WIDTHS.contains(dim) || given) {
            return PUBLIC_IMAGE;
        }
        throw new IOException(
                tensors.file() + " does not say for which image size it was trained; give" + " model.imageSize=PIXELS");
    }

    private int heads(int dim, boolean given) throws IOException {
        if (config.path("num_heads").isInt()) {
            return config.path("num_heads").intValue();
        }
        if (tensors.metadata().getOrDefault(MlAim.HEADS, "").matches("\\d{1,5}")) {
            return Integer.parseInt(tensors.metadata().get(MlAim.HEADS));
        }
        if (PUBLIC_WIDTHS.contains(dim) || given) {
            return Math.max(1, dim / PUBLIC_HEAD_WIDTH);
        }
        throw new IOException(
                tensors.file() + " does not say how many attention heads it has; give model.trunk.heads=N");
    }

    /** ml-aim resizes to size / 0.875, cuts out the centre, and normalises by the statistics of ImageNet. */
    private void preprocessing(int size, int channels) {
        Map<String, String> metadata = tensors.metadata();
        String number = "[-+0-9.eE]{1,30}";
        String list = "\\[" + number + "(, " + number + "){0,2}\\]";
        boolean ours = metadata.getOrDefault(MlAim.MEAN, "").matches(list)
                && metadata.getOrDefault(MlAim.STD, "").matches(list)
                && metadata.getOrDefault(MlAim.EVAL_RESIZE, "").matches("\\d{1,5}");
        if (metadata.getOrDefault(MlAim.NORM_EPS, "").matches(number)) {
            settings.put("model.normEps", metadata.get(MlAim.NORM_EPS));
        }
        if (ours) {
            settings.put("data.augment.evalResize", metadata.get(MlAim.EVAL_RESIZE));
            settings.put("data.augment.mean", metadata.get(MlAim.MEAN));
            settings.put("data.augment.std", metadata.get(MlAim.STD));
        } else if (channels == 3) {
            settings.put("data.augment.evalResize", Integer.toString((int) Math.ceil(size / 0.875)));
            settings.put("data.augment.mean", "[0.485, 0.456, 0.406]");
            settings.put("data.augment.std", "[0.229, 0.224, 0.225]");
        }
    }
}
