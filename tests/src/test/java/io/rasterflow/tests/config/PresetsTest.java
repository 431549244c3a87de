package io.rasterflow.tests.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.config.ConfigException;
import io.rasterflow.config.Presets;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.Precision;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.Objective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PresetsTest {

    private static final Path FOLDER =
            Path.of(System.getProperty("rasterflow.home"), "cluster-config/src/main/resources/io/rasterflow/presets");

    static List<String> names() {
        return Presets.NAMES;
    }

    private static RunConfig load(String preset, String... overrides) {
        return RunConfig.load(preset, List.of(overrides)).config();
    }

    @ParameterizedTest
    @MethodSource("names")
    void everyPresetLoadsWithItsHeader(String name) throws IOException {
        RunConfig config = load(name);
        assertEquals(config.model().imageSize(), config.data().augment().size());
        assertEquals(config.model().channels(), config.data().augment().channels());
        assertTrue(Integer.parseInt(config.probe().layers().toString().replaceAll("\\D", ""))
                <= config.model().trunk().blocks());
        String text = Files.readString(FOLDER.resolve(name + ".conf"));
        assertTrue(text.contains("# Paper "), name + " names its paper");
        assertTrue(text.contains("# Data "), name + " names its data");
        assertTrue(text.contains("# Command   ./rasterflow train"), name + " gives its command");
        assertTrue(!text.contains("@"), name + " has a place left open");
        if (!name.equals(Presets.DEFAULTS)) {
            assertEquals(name, config.name());
            assertTrue(text.contains("# Cost "), name + " gives its cost");
            assertTrue(text.contains("# Score "), name + " gives its score");
        }
    }

    @Test
    void everyFileIsListed() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            Set<String> found = files.map(file -> file.getFileName().toString().replaceFirst("\\.conf$", ""))
                    .collect(Collectors.toCollection(TreeSet::new));
            Set<String> listed = new TreeSet<>(Presets.NAMES);
            listed.addAll(Presets.SWEEPS);
            assertEquals(listed, found);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "aim-600m, 1536, 24, 12, 500000, 12500",
        "aim-1b, 2048, 24, 16, 1250000, 31250",
        "aim-3b, 3072, 24, 24, 1250000, 31250",
        "aim-7b, 4096, 32, 32, 1250000, 31250"
    })
    void thePapersRecipe(String name, int dim, int blocks, int heads, long steps, long warmup) {
        RunConfig config = load(name);
        AimConfig model = config.model();
        assertEquals(new AimConfig.Trunk(dim, blocks, heads), model.trunk());
        assertEquals(new AimConfig.Head(AimConfig.Head.Kind.MLP, 2048, 12), model.head());
        assertEquals(256, model.patches());
        assertEquals(588, model.patchValues());
        assertEquals(Objective.PAPER, model.objective());
        assertEquals(steps, config.train().steps());
        assertEquals(warmup, config.train().warmupSteps());
        assertEquals(4096, config.train().batch());
        assertEquals(1e-3, config.train().learningRate());
        assertEquals(Precision.BF16, config.train().precision());
        assertEquals(0.9, config.optimizer().beta1());
        assertEquals(0.95, config.optimizer().beta2());
        assertEquals(0.05, config.optimizer().weightDecay());
        assertEquals(1.0, config.optimizer().clip());
        assertEquals(0.4, config.data().augment().scaleMin());
        assertEquals(256, config.data().augment().evalResize());
    }

    @Test
    void overridesReachAPreset() {
        RunConfig config = load("aim-7b", "data.train=/data/{00..09}.tar", "train.batch=512", "model.head.kind=none");
        assertEquals(List.of("/data/{00..09}.tar"), config.data().train());
        assertEquals(512, config.train().batch());
        assertEquals(AimConfig.Head.Kind.NONE, config.model().head().kind());
    }

    @Test
    void theDefaultsCanBeNamed() {
        assertEquals(load(""), load("defaults"));
    }

    @Test
    void anUnknownPresetListsWhatThereIs() {
        String message =
                assertThrows(ConfigException.class, () -> load("aim-9b")).getMessage();
        assertTrue(message.contains("aim-9b"), message);
        Presets.NAMES.forEach(name -> assertTrue(message.contains(name), message));
    }
}
