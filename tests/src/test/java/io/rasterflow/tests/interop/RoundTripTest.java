package io.rasterflow.tests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.model.Compute;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.embed.Embedder;
import io.rasterflow.model.embed.Features;
import io.rasterflow.model.interop.ExportedModel;
import io.rasterflow.model.interop.ProbeHead;
import io.rasterflow.model.interop.WeightsExport;
import io.rasterflow.model.optimizer.OptimizerConfig;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Exports, loaded by an independent model in PyTorch ({@code reference.py}); skipped where there is no PyTorch. */
class RoundTripTest {
    /** The epsilon keeps AdamW from dividing rounding errors by themselves. */
    private static final OptimizerConfig OPTIMIZER = new OptimizerConfig(0.9, 0.95, 1e-4, 0.05, 0.5);

    private static final int IMAGES = 4;

    @TempDir
    Path directory;

    @Test
    void pyTorchComputesTheSameFeaturesAndTrainsTheArchiveAsWeDo() throws Exception {
        roundTrip(new AimConfig(12, 4, 3, new AimConfig.Trunk(16, 2, 2), new AimConfig.Head(8, 2), 1e-6), true);
    }

    @Test
    void moreThan64PatchesAndNoProbeHead() throws Exception {
        roundTrip(new AimConfig(27, 3, 1, new AimConfig.Trunk(16, 3, 4), new AimConfig.Head(12, 0), 1e-5), false);
    }

    private void roundTrip(AimConfig config, boolean withProbe) throws Exception {
        Python python = Python.withTorch();
        SortedMap<String, Tensor> weights;
        try (Replica replica = Aim.replica(config, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(3);
            weights = replica.snapshot().weights();
        }
        Optional<ProbeHead> probe = withProbe ? Optional.of(probe()) : Optional.empty();
        ExportedModel model = new ExportedModel(
                config,
                OPTIMIZER,
                weights,
                probe,
                List.of(config.trunk().blocks() - 2, config.trunk().blocks() - 1),
                new ExportedModel.Preprocessing(config.imageSize(), List.of(0.5), List.of(0.5)),
                "a test");
        WeightsExport.write(WeightsExport.Format.PTH, directory.resolve("weights.pth"), model, true);
        WeightsExport.write(WeightsExport.Format.SAFETENSORS, directory.resolve("model.safetensors"), model, true);
        WeightsExport.write(WeightsExport.Format.TORCHSCRIPT, directory.resolve("script.pt"), model, true);
        writeConfig(config);
        ByteBuffer images = inputs(config);

        JsonNode found = python.run(Resources.file("reference.py"), "check", directory.toString());
        assertTrue(found.path("safetensorsEqual").asBoolean(true), found.toString());
        assertTrue(found.path("scriptNames").asBoolean(), found.toString());
        assertTrue(found.path("gradientOfScript").asBoolean(), found.toString());
        assertBelow(1e-5, found, "scriptFeatures");
        assertBelow(1e-5, found, "scriptBlocks");
        assertBelow(1e-5, found, "lossError");
        assertBelow(1e-5, found, "stepError");
        if (withProbe) {
            assertBelow(1e-5, found, "scriptLogits");
        }
        compareFeatures(config, weights, probe, images);
    }

    private static void assertBelow(double limit, JsonNode found, String name) {
        assertTrue(found.path(name).isNumber() && found.path(name).asDouble() < limit, name + " in " + found);
    }

    /** What Python wrote, against what we compute ourselves. */
    private void compareFeatures(
            AimConfig config, SortedMap<String, Tensor> weights, Optional<ProbeHead> probe, ByteBuffer images)
            throws IOException {
        float[] features;
        try (Embedder embedder = new Embedder(config, Compute.REFERENCE, weights)) {
            features = embedder.features(images, IMAGES, Features.parse("last2", Features.Pool.NONE, config.trunk()));
        }
        assertClose(read("features.f32"), features);
        if (probe.isPresent()) {
            float[] logits = read("logits.f32");
            float[] first = new float[features.length / IMAGES];
            System.arraycopy(features, 0, first, 0, first.length);
            double[] ours = probe.get().logits(first, config.trunk().heads());
            float[] narrow = new float[ours.length];
            float[] theirs = new float[ours.length];
            for (int i = 0; i < ours.length; i++) {
                narrow[i] = (float) ours[i];
                theirs[i] = logits[i];
            }
            assertClose(theirs, narrow);
        }
    }

    private static void assertClose(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        double most = 0;
        double worst = 0;
        for (int i = 0; i < expected.length; i++) {
            most = Math.max(most, Math.abs(expected[i]));
            double difference = Math.abs(expected[i] - actual[i]);
            worst = difference <= worst ? worst : difference;
        }
        assertTrue(most > 0.01 && worst <= 1e-5 * most, worst + " of " + most);
    }

    private float[] read(String name) throws IOException {
        ByteBuffer bytes =
                ByteBuffer.wrap(Files.readAllBytes(directory.resolve(name))).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[bytes.remaining() / Float.BYTES];
        bytes.asFloatBuffer().get(values);
        return values;
    }

    private static ProbeHead probe() throws IOException {
        SortedMap<String, Tensor> head = new TreeMap<>(
                Safetensors.read(Resources.file("expected.safetensors")).tensors("head."));
        SortedMap<String, Tensor> named = new TreeMap<>();
        head.forEach((name, tensor) -> named.put("head." + name, tensor));
        return new ProbeHead(named);
    }

    private void writeConfig(AimConfig config) throws IOException {
        Map<String, Object> fields = new TreeMap<>(Map.of(
                "img_size", config.imageSize(),
                "patch_size", config.patchSize(),
                "num_channels", config.channels(),
                "embed_dim", config.trunk().dim(),
                "num_blocks", config.trunk().blocks(),
                "num_heads", config.trunk().heads(),
                "probe_layers", 2,
                "num_classes", 3,
                "norm_eps", config.normEps(),
                "head_dim", config.head().dim()));
        fields.put("head_blocks", config.head().blocks());
        fields.put("betas", List.of(OPTIMIZER.beta1(), OPTIMIZER.beta2()));
        fields.put("adam_eps", OPTIMIZER.eps());
        fields.put("weight_decay", OPTIMIZER.weightDecay());
        fields.put("clip", OPTIMIZER.clip());
        new ObjectMapper().writeValue(directory.resolve("config.json").toFile(), fields);
    }

    private ByteBuffer inputs(AimConfig config) throws IOException {
        int values = IMAGES * config.channels() * config.imageSize() * config.imageSize();
        ByteBuffer images = ByteBuffer.allocateDirect(values * Float.BYTES).order(ByteOrder.nativeOrder());
        ByteBuffer little = ByteBuffer.allocate(values * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(7);
        for (int i = 0; i < values; i++) {
            float value = (float) random.nextGaussian();
            images.putFloat(i * Float.BYTES, value);
            little.putFloat(value);
        }
        Files.write(directory.resolve("images.f32"), little.array());
        ByteBuffer prefixes = ByteBuffer.allocate(IMAGES * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long prefix : new long[] {1, config.patches() / 2, config.patches() - 1, 3}) {
            prefixes.putLong(prefix);
        }
        Files.write(directory.resolve("prefix.i64"), prefixes.array());
        return images;
    }
}
