package io.rasterflow.model.parity;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.optimizer.OptimizerConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.NoSuchElementException;

/**
 * A reference case: settings from the file's metadata, tensors from its body.
 *
 * @param file its tensors
 * @param model shape of the model
 * @param optimizer settings of the training curve
 * @param learningRate constant over the curve
 * @param steps optimizer steps of the curve
 */
record ParityCase(Safetensors file, AimConfig model, OptimizerConfig optimizer, double learningRate, int steps) {
    private static final String OBJECTIVE = "next-patch, raster, prefix, normalised pixels";
    private static final ObjectMapper JSON = new ObjectMapper();

    static ParityCase read(Path path) throws IOException {
        Safetensors file = Safetensors.read(path);
        String objective = file.metadata().get("objective");
        if (!OBJECTIVE.equals(objective)) {
            throw new IOException(path + " is a case of the objective \"" + objective + "\", but only \"" + OBJECTIVE
                    + "\" (AIM) is supported");
        }
        try {
            JsonNode config = JSON.readTree(required(file, "config"));
            JsonNode training = JSON.readTree(required(file, "training"));
            return new ParityCase(
                    file, model(config), optimizer(training), number(training, "lr"), (int) number(training, "steps"));
        } catch (JsonProcessingException e) {
            throw new IOException(path + " has broken metadata: " + e.getOriginalMessage(), e);
        } catch (IllegalArgumentException | NoSuchElementException e) {
            throw new IOException(path + " has unusable metadata: " + e.getMessage(), e);
        }
    }

    private static AimConfig model(JsonNode config) {
        return new AimConfig(
                (int) number(config, "img_size"),
                (int) number(config, "patch_size"),
                (int) number(config, "channels"),
                new AimConfig.Trunk((int) number(config, "embed_dim"), (int) number(config, "num_blocks"), (int)
                        number(config, "num_heads")),
                new AimConfig.Head((int) number(config, "head_dim"), (int) number(config, "head_depth")),
                number(config, "norm_eps"));
    }

    private static OptimizerConfig optimizer(JsonNode training) {
        JsonNode betas = training.path("betas");
        double clip = training.path("clip").isNull() ? Double.POSITIVE_INFINITY : number(training, "clip");
        return new OptimizerConfig(
                betas.path(0).asDouble(-1),
                betas.path(1).asDouble(-1),
                number(training, "eps"),
                number(training, "weight_decay"),
                clip);
    }

    private static String required(Safetensors file, String key) {
        String value = file.metadata().get(key);
        if (value == null) {
            throw new NoSuchElementException(key + " is missing");
        }
        return value;
    }

    private static double number(JsonNode node, String key) {
        if (!node.path(key).isNumber()) {
            throw new NoSuchElementException(key + " is missing or no number");
        }
        return node.path(key).doubleValue();
    }

    /** Images of the case. */
    int images() {
        return (int) file.tensor("input.image").shape()[0];
    }

    /** (B, C, H, W) as replicas take them. */
    ByteBuffer pixels() {
        Tensor image = file.tensor("input.image");
        ByteBuffer pixels = ByteBuffer.allocateDirect(image.values().capacity() * Float.BYTES)
                .order(ByteOrder.nativeOrder());
        pixels.asFloatBuffer().put(image.values().duplicate().rewind());
        return pixels;
    }

    long[] prefixes() {
        return file.longs("input.prefix_length");
    }
}
