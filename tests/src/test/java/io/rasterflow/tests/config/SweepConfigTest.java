package io.rasterflow.tests.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.config.ConfigException;
import io.rasterflow.sweep.SweepConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SweepConfigTest {

    @TempDir
    private Path directory;

    private SweepConfig load(String text) throws IOException {
        return SweepConfig.load(
                Files.writeString(directory.resolve("s.conf"), text).toString(), directory);
    }

    @Test
    void everyAblationOfThePaperIsOneRunOfAValidConfiguration() {
        SweepConfig ablations = SweepConfig.load("ablations", directory);
        List<String> names =
                ablations.runs().stream().map(SweepConfig.Entry::name).toList();
        assertEquals("default", names.get(0));
        assertTrue(
                names.containsAll(List.of(
                        "target-raw",
                        "target-tokens",
                        "order-spiral",
                        "order-checkerboard",
                        "order-random",
                        "attention-causal",
                        "head-none",
                        "head-transformer",
                        "head-width-32",
                        "head-depth-1",
                        "crop-0.08",
                        "crop-1.0",
                        "masked-50",
                        "masked-75",
                        "jitter")),
                names.toString());
        assertEquals("aim-nano", ablations.base());
    }

    @Test
    void runsKeepTheOrderOfTheFileAndTheLaterOverrideWins() throws IOException {
        SweepConfig sweep = load(
                """
                base = aim-nano
                common = ["train.steps=500"]
                runs {
                  z = ["train.steps=600"]
                  a = []
                  tokens { overrides = ["model.objective.target=tokens"], codebook = 64 }
                }
                """);
        assertEquals(
                List.of("z", "a", "tokens"),
                sweep.runs().stream().map(SweepConfig.Entry::name).toList());
        List<String> overrides = sweep.overrides(sweep.runs().get(0), directory);
        assertTrue(overrides.indexOf("train.steps=500") < overrides.indexOf("train.steps=600"), overrides.toString());
        assertEquals(List.of("linear"), sweep.probes());
        List<String> tokens = sweep.overrides(sweep.runs().get(2), directory);
        assertTrue(
                tokens.get(tokens.size() - 1).startsWith("model.objective.codebook=\"" + directory), tokens.toString());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "runs {} | has no runs",
                "runs { a = [] }, bases = x | bases",
                "runs { a { override = [] } } | override",
                "runs { \"../a\" = [] } | directory's name",
                "runs { a = 3 } | runs.a must be a list",
                "runs { a { codebook = -1 } } | runs.a.codebook",
                "runs { a = [\"train.steps=x\"] } | run a of the sweep",
                "base = aim-9b, runs { a = [] } | aim-9b",
                "runs { a = [ | cannot be read"
            })
    void badFilesAreOneLine(String text, String expected) {
        String message = assertThrows(ConfigException.class, () -> load(text)).getMessage();
        assertEquals(1, message.lines().count(), message);
        assertTrue(message.contains(expected), message);
    }

    @Test
    void anUnknownSweepNamesTheBundledOnes() {
        String message = assertThrows(ConfigException.class, () -> SweepConfig.load("ablation", directory))
                .getMessage();
        assertTrue(message.contains("ablations"), message);
    }
}
