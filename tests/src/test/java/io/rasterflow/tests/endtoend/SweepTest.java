package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rasterflow sweep} on two tiny runs of the bundled images. */
@Paired
class SweepTest {

    private static final String RUNS =
            """
            runs {
              seven = ["train.seed=7"]
              eight = ["train.seed=8"]
            }
            """;

    @TempDir
    private Path directory;

    private Rasterflow rasterflow;

    @BeforeEach
    void start() {
        rasterflow = new Rasterflow(directory);
    }

    /** One shard each and hardly any probe: what is tested is which runs are trained, not how well. */
    private Path file(String runs) throws IOException {
        String shards = Rasterflow.HOME.resolve("streams/data/fashion-mnist").toString();
        StringBuilder common = new StringBuilder();
        Stream.of(
                        "train.steps=4",
                        "train.checkpointEverySteps=2",
                        "probe.everySteps=4",
                        "train.warmupSteps=1",
                        "train.batch=8",
                        "train.microBatches=2",
                        "model.trunk.dim=16",
                        "model.trunk.blocks=1",
                        "model.trunk.heads=1",
                        "model.head.dim=16",
                        "cluster.replicas=1",
                        "probe.trainImages=100",
                        "probe.layers=last1",
                        "probe.attentive.epochs=1",
                        "data.train=" + shards + "/train-00.tar.gz",
                        "data.validation=" + shards + "/validation-00.tar.gz")
                .forEach(override -> common.append("  \"").append(override).append("\"\n"));
        return Files.writeString(directory.resolve("two.conf"), "probes = []\ncommon = [\n" + common + "]\n" + runs);
    }

    @Test
    void finishedRunsAreSkippedAndAnInterruptedOneGoesOn() throws IOException, InterruptedException {
        Path file = file(RUNS);
        Path run = directory.resolve("sweep");
        Rasterflow.Result first = rasterflow.run("sweep", file, "--run", run, "--json");
        assertEquals(0, first.exit(), first.text());
        JsonNode runs = first.json().get("runs");
        assertEquals(List.of("seven", "eight"), runs.findValuesAsText("name"), first.text());
        assertEquals(4, runs.get(0).get("steps").asInt(), first.text());
        assertNotEquals(runs.get(0).get("trainLoss"), runs.get(1).get("trainLoss"), first.text());
        assertTrue(runs.get(0).get("attentive").isNumber(), first.text());
        List<String> csv = Files.readAllLines(run.resolve("sweep.csv"));
        assertEquals(3, csv.size());
        assertTrue(csv.get(1).startsWith("seven,4,"), csv.get(1));
        assertTrue(ImageIO.read(run.resolve("sweep.png").toFile()).getWidth() > 300);

        // What a run leaves behind that is killed after its second step.
        Files.delete(run.resolve("eight/sweep.json"));
        delete(run.resolve("eight/checkpoints/step-00000004"));
        Rasterflow.Result second = rasterflow.run("sweep", file, "--run", run, "--json");
        assertEquals(0, second.exit(), second.text());
        assertTrue(second.out().contains("seven: is over already"), second.text());
        assertTrue(second.out().contains("eight: goes on from its latest checkpoint"), second.text());
        JsonNode again = second.json().get("runs");
        assertEquals(runs.get(0), again.get(0));
        for (String same : List.of("steps", "validationLoss", "attentive", "overrides")) {
            assertEquals(runs.get(1).get(same), again.get(1).get(same), second.text());
        }
    }

    @Test
    void otherSettingsInTheSameDirectoryAreRefused() throws IOException, InterruptedException {
        Path run = Files.createDirectories(directory.resolve("sweep/seven"));
        Files.writeString(
                run.resolve("sweep.json"), "{\"name\": \"seven\", \"base\": \"\", \"overrides\": [], \"probes\": {}}");
        Rasterflow.Result result = rasterflow.run("sweep", file(RUNS), "--run", directory.resolve("sweep"));
        assertEquals(2, result.exit(), result.text());
        assertEquals(1, result.err().lines().count(), result.text());
        assertTrue(result.err().contains("other settings"), result.text());
        assertFalse(Files.exists(directory.resolve("sweep/eight")), "nothing was begun");
    }

    @Test
    void aSlipInTheLastRunIsFoundBeforeTheFirstBegins() throws IOException, InterruptedException {
        Path run = directory.resolve("sweep");
        Path file = file("runs { good = [], bad = [\"model.trunk.dims=3\"] }");
        Rasterflow.Result result = rasterflow.run("sweep", file, "--run", run);
        assertEquals(2, result.exit(), result.text());
        assertTrue(result.err().contains("run bad"), result.text());
        assertTrue(result.err().contains("model.trunk.dims"), result.text());
        assertFalse(Files.exists(run), "nothing was begun");
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
