package io.rasterflow.tests.interop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.checkpoint.WeightsHash;
import io.rasterflow.model.interop.Architecture;
import io.rasterflow.model.interop.ExportedModel;
import io.rasterflow.model.interop.ProbeHead;
import io.rasterflow.model.interop.WeightsExport;
import io.rasterflow.model.interop.WeightsImport;
import io.rasterflow.model.interop.WeightsSource;
import io.rasterflow.model.optimizer.OptimizerConfig;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WeightsImportTest {
    private static final Set<String> GIVEN = Set.of("model.trunk.heads");

    @TempDir
    Path directory;

    private static SortedMap<String, Tensor> good() throws IOException {
        return new TreeMap<>(
                Safetensors.read(Resources.file("expected.safetensors")).tensors());
    }

    private Path write(SortedMap<String, Tensor> tensors) throws IOException {
        Path file = directory.resolve("m" + tensors.hashCode() + ".safetensors");
        Files.deleteIfExists(file);
        Safetensors.write(file, tensors, Map.of());
        return file;
    }

    private static WeightsImport.Imported run(Path... parts) throws IOException {
        return WeightsImport.run(WeightsSource.open(List.of(parts)).tensors(), Resources.TINY, 0);
    }

    private static String refused(Path... parts) {
        IOException refused = assertThrows(IOException.class, () -> run(parts));
        assertEquals(1, refused.getMessage().lines().count(), refused.getMessage());
        return refused.getMessage();
    }

    private String refusedWith(String name, Tensor tensor) throws IOException {
        SortedMap<String, Tensor> tensors = good();
        tensors.put(name, tensor);
        String message = refused(write(tensors));
        assertTrue(message.contains(name), message);
        return message;
    }

    private static Tensor constant(float value, long... shape) {
        int size = 1;
        for (long n : shape) {
            size *= (int) n;
        }
        FloatBuffer values = FloatBuffer.allocate(size);
        while (values.hasRemaining()) {
            values.put(value);
        }
        return new Tensor(shape, values.rewind());
    }

    @Test
    void trunkAndHeadOfPyTorchFilesAreTakenOver() throws IOException {
        WeightsImport.Imported imported = run(Resources.file("trunk.pth"), Resources.file("head.pth"));
        SortedMap<String, Tensor> expected = good();
        for (Map.Entry<String, Tensor> tensor : expected.entrySet()) {
            if (!tensor.getKey().equals("preprocessor.pos_embed")) {
                Tensor taken = imported.weights().containsKey(tensor.getKey())
                        ? imported.weights().get(tensor.getKey())
                        : imported.probe().orElseThrow().tensors().get(tensor.getKey());
                assertArrayEquals(Resources.values(tensor.getValue()), Resources.values(taken), tensor.getKey());
            }
        }
        String report = imported.report().toString();
        assertTrue(report.contains("NOT in the source"), report);
        assertTrue(report.contains("positions    equal"), report);
        assertTrue(report.contains("attentive, 3 classes"), report);
    }

    @Test
    void sizesComeFromTheWeightsAndTheFolder() throws IOException {
        WeightsSource file = WeightsSource.open(List.of(Resources.file("trunk.pth")));
        Map<String, String> settings = Architecture.settings(file, GIVEN);
        assertEquals("12", settings.get("model.imageSize"));
        assertEquals("4", settings.get("model.patchSize"));
        assertEquals("16", settings.get("model.trunk.dim"));
        assertEquals("2", settings.get("model.trunk.blocks"));
        assertEquals("14", settings.get("data.augment.evalResize"));
        assertTrue(assertThrows(IOException.class, () -> Architecture.settings(file, Set.of()))
                .getMessage()
                .contains("model.trunk.heads"));

        Path folder = shards("{\"num_heads\": 2, \"img_size\": [12, 12], \"embed_dim\": 16}");
        assertEquals(
                "2",
                Architecture.settings(WeightsSource.open(List.of(folder)), Set.of())
                        .get("model.trunk.heads"));
        assertEquals(
                WeightsHash.sha256(run(Resources.file("trunk.pth")).weights()),
                WeightsHash.sha256(run(folder).weights()));
        Path other = shards("{\"num_heads\": 2, \"img_size\": 12, \"embed_dim\": 32}");
        assertTrue(assertThrows(
                        IOException.class, () -> Architecture.settings(WeightsSource.open(List.of(other)), Set.of()))
                .getMessage()
                .contains("embed_dim 16"));
    }

    /** A Hugging Face folder with two shards. */
    private Path shards(String config) throws IOException {
        Path folder = Files.createTempDirectory(directory, "hf");
        Map<String, String> map = new HashMap<>();
        SortedMap<String, Tensor> all = good();
        List<String> files = List.of("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
        for (int i = 0; i < 2; i++) {
            SortedMap<String, Tensor> part = new TreeMap<>();
            for (Map.Entry<String, Tensor> tensor : all.entrySet()) {
                if (tensor.getKey().startsWith("trunk.blocks.0") == (i == 0)) {
                    part.put(tensor.getKey(), tensor.getValue());
                    map.put(tensor.getKey(), files.get(i));
                }
            }
            Safetensors.write(folder.resolve(files.get(i)), part, Map.of());
        }
        ObjectMapper json = new ObjectMapper();
        json.writeValue(folder.resolve("model.safetensors.index.json").toFile(), Map.of("weight_map", map));
        Files.writeString(folder.resolve("config.json"), config);
        return folder;
    }

    @Test
    void anIndexThatPointsElsewhereIsRefused() throws IOException {
        for (String shard : new String[] {"../secret.safetensors", "/etc/passwd", "a.pth", ""}) {
            Path folder = shards("{}");
            new ObjectMapper()
                    .writeValue(
                            folder.resolve("model.safetensors.index.json").toFile(),
                            Map.of("weight_map", Map.of("x", shard)));
            assertTrue(refused(folder).contains("not a safetensors file in the same folder"));
        }
        Path folder = shards("{}");
        new ObjectMapper()
                .writeValue(
                        folder.resolve("model.safetensors.index.json").toFile(),
                        Map.of("weight_map", Map.of("absent", "model-00001-of-00002.safetensors")));
        assertTrue(refused(folder).contains("promises tensor absent"));
        assertTrue(refused(Files.createTempDirectory(directory, "empty")).contains("config.json"));
    }

    @Test
    void whatDoesNotFitIsNamed() throws IOException {
        String norm = "trunk.post_trunk_norm.bias";
        assertTrue(refusedWith(norm, constant(0, 17)).contains("[16]"));
        assertTrue(refusedWith(norm, constant(Float.NaN, 16)).contains("NaN"));
        assertTrue(refusedWith(norm, constant(Float.NEGATIVE_INFINITY, 16)).contains("-Infinity"));
        assertTrue(refusedWith("trunk.blocks.2.norm_1.bias", constant(0, 16)).contains("no part"));
        assertTrue(refusedWith("head.bn.running_var", constant(1, 8)).contains("[16]"));
        assertTrue(
                refusedWith("preprocessor.pos_embed", constant(0.5f, 1, 9, 16)).contains("learned positions"));
        assertTrue(refusedWith("preprocessor.pos_embed", constant(Float.NaN, 1, 9, 16))
                .contains("positions"));

        SortedMap<String, Tensor> incomplete = good();
        incomplete.remove(norm);
        assertTrue(refused(write(incomplete)).contains("lacks tensor " + norm));

        SortedMap<String, Tensor> half = good();
        half.remove("head.k.weight");
        assertTrue(refused(write(half)).contains("lacks tensor head.k.weight"));

        assertTrue(refused(Resources.file("trunk.pth"), Resources.file("expected.safetensors"))
                .contains("stands both in"));
    }

    @Test
    void weightsThatGiveNoFeaturesAreFoundByTheSelfCheck() throws IOException {
        SortedMap<String, Tensor> tensors = good();
        tensors.replaceAll((name, tensor) -> name.contains("mlp") ? constant(3e38f, tensor.shape()) : tensor);
        String message = refused(write(tensors));
        assertTrue(message.contains("for a fixed image"), message);
    }

    @Test
    void aCheckpointWithoutMomentsStartsFromZero() throws IOException {
        WeightsImport.Imported imported = run(Resources.file("trunk.pth"), Resources.file("head.pth"));
        String hash = WeightsHash.sha256(imported.weights());
        Path checkpoint = Checkpoint.write(
                directory,
                new Snapshot(0, imported.weights(), new TreeMap<>(), new TreeMap<>()),
                new TrainingState(0, 0, 0, 0, 1, Double.NaN, Double.NaN, hash));
        imported.probe().orElseThrow().write(checkpoint);
        Snapshot read = Checkpoint.read(checkpoint).snapshot();
        assertEquals(hash, WeightsHash.sha256(read.weights()));
        assertEquals(read.weights().keySet(), read.firstMoments().keySet());
        for (Map.Entry<String, Tensor> moment : read.secondMoments().entrySet()) {
            float[] values = Resources.values(moment.getValue());
            assertArrayEquals(
                    new float[read.weights().get(moment.getKey()).values().capacity()], values);
        }
        assertEquals(3, ProbeHead.of(checkpoint).orElseThrow().classes());

        // Written again the head stays, as long as the weights are the same.
        Checkpoint.write(directory, read, new TrainingState(0, 0, 0, 0, 1, 1, 1, hash));
        assertEquals(3, ProbeHead.of(checkpoint).orElseThrow().classes());
        Checkpoint.write(directory, read, new TrainingState(0, 0, 0, 0, 1, 1, 1, "other weights"));
        assertTrue(ProbeHead.of(checkpoint).isEmpty());
    }

    @Test
    void whatIsExportedComesBackInEveryFormat() throws IOException {
        WeightsImport.Imported imported = run(Resources.file("trunk.pth"), Resources.file("head.pth"));
        ExportedModel model = new ExportedModel(
                Resources.TINY,
                new OptimizerConfig(0.9, 0.95, 1e-8, 0.05, 1.0),
                imported.weights(),
                imported.probe(),
                List.of(0, 1),
                new ExportedModel.Preprocessing(14, List.of(0.5, 0.5, 0.5), List.of(0.25, 0.25, 0.25)),
                "a test");
        for (WeightsExport.Format format :
                List.of(WeightsExport.Format.PTH, WeightsExport.Format.SAFETENSORS, WeightsExport.Format.HUGGINGFACE)) {
            Path out = directory.resolve("out." + format.name().toLowerCase(Locale.ROOT));
            WeightsExport.write(format, out, model, true);
            WeightsSource source = WeightsSource.open(List.of(out));
            WeightsImport.Imported again = WeightsImport.run(source.tensors(), Resources.TINY, 99);
            assertEquals(WeightsHash.sha256(imported.weights()), WeightsHash.sha256(again.weights()), format.name());
            assertEquals(
                    WeightsHash.sha256(imported.probe().orElseThrow().tensors()),
                    WeightsHash.sha256(again.probe().orElseThrow().tensors()));
            assertTrue(assertThrows(IOException.class, () -> WeightsExport.write(format, out, model, true))
                    .getMessage()
                    .contains("exists already"));
        }
        Map<String, String> settings =
                Architecture.settings(WeightsSource.open(List.of(directory.resolve("out.safetensors"))), Set.of());
        assertEquals("2", settings.get("model.trunk.heads"));
        assertEquals("[0.5, 0.5, 0.5]", settings.get("data.augment.mean"));
        assertEquals("8", settings.get("model.head.dim"));
        assertEquals("3", settings.get("probe.classes"));
        WeightsSource folder = WeightsSource.open(List.of(directory.resolve("out.huggingface")));
        assertEquals("\"0,1\"", Architecture.settings(folder, Set.of()).get("probe.layers"));
        try (var left = Files.list(directory)) {
            assertTrue(left.noneMatch(path -> path.toString().endsWith(".tmp")));
        }
    }
}
