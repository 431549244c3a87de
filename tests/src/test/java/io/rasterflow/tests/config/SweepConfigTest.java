package io.rasterflow.tests.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.config.ConfigException;
import io.rasterflow.config.RunConfig;
import io.rasterflow.sweep.SweepConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SweepConfigTest {

    @TempDir
    private Path directory;

    private SweepConfig load(String text) throws IOException {
        return SweepConfig.load(
                Files.writeString(directory.resolve("s.conf"), text).toString(), directory, List.of());
    }

    @Test
    void everyAblationOfThePaperIsOneRunOfAValidConfiguration() {
        SweepConfig ablations = SweepConfig.load("ablations", directory, List.of());
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
                "grid = [{ a = [] }, {}] | grid is empty",
                "grid = [{ a = 3 }] | runs.a must be a list",
                "grid = [{ a { codebook = 2 } }, { b { codebook = 2 } }] | two codebooks",
                "runs { a = [ | cannot be read"
            })
    void badFilesAreOneLine(String text, String expected) {
        String message = assertThrows(ConfigException.class, () -> load(text)).getMessage();
        assertEquals(1, message.lines().count(), message);
        assertTrue(message.contains(expected), message);
    }

    @Test
    void aGridIsEveryCombinationOfItsChoices() throws IOException {
        SweepConfig sweep = SweepConfig.load(
                Files.writeString(
                                directory.resolve("g.conf"),
                                """
                                runs { plain = [] }
                                grid = [
                                  { w64 = ["model.trunk.dim=64"]
                                    w32 = ["model.trunk.dim=32"] }
                                  { short = ["train.steps=500"], long = ["train.steps=600"] }
                                ]
                                """)
                        .toString(),
                directory,
                List.of("train.warmupSteps=3"));
        assertEquals(
                List.of("plain", "w64-long", "w64-short", "w32-long", "w32-short"),
                sweep.runs().stream().map(SweepConfig.Entry::name).toList());
        List<String> overrides = sweep.overrides(sweep.runs().get(3), directory);
        assertTrue(
                overrides.containsAll(List.of("model.trunk.dim=32", "train.steps=600", "train.warmupSteps=3")),
                overrides.toString());
    }

    /** How many a pattern such as train-{00..04}.tar.gz names. */
    private static int shards(String pattern) {
        Matcher range = Pattern.compile("\\{00\\.\\.(\\d+)}").matcher(pattern);
        return range.find() ? Integer.parseInt(range.group(1)) + 1 : 1;
    }

    @Test
    void theBundledScalingSweepHasOneExperimentInManySizes() {
        SweepConfig sweep = SweepConfig.load("scaling", directory, List.of());
        List<RunConfig> runs = sweep.runs().stream()
                .map(run -> RunConfig.load(sweep.base(), sweep.overrides(run, directory))
                        .config())
                .toList();
        assertTrue(
                runs.stream().map(run -> run.model().trunk().dim()).distinct().count() >= 4);
        assertTrue(runs.stream().map(run -> run.data().train()).distinct().count() >= 3);
        assertEquals(
                1, runs.stream().map(run -> run.data().validation()).distinct().count());
        assertEquals(
                1, runs.stream().map(run -> run.model().objective()).distinct().count());
        // As many passes over small data as over large, so that samples seen and images grow together.
        assertEquals(
                1,
                runs.stream()
                        .map(run -> Math.round((double) run.train().steps()
                                / shards(run.data().train().get(0))))
                        .distinct()
                        .count());
    }

    @Test
    void anUnknownSweepNamesTheBundledOnes() {
        String message = assertThrows(ConfigException.class, () -> SweepConfig.load("ablation", directory, List.of()))
                .getMessage();
        assertTrue(message.contains("ablations"), message);
    }
}
