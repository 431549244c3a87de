package io.rasterflow.tests.endtoend;

import static io.rasterflow.tests.endtoend.Rasterflow.SMALL;
import static io.rasterflow.tests.endtoend.Rasterflow.words;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.images.Sheet;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The training recipe through the launcher: schedules, branches, averaged weights, the end of a run that diverges. */
@Paired
class RecipeTest {

    private static final List<String> RECIPE = List.of(
            "train.checkpointEverySteps=10",
            "probe.everySteps=1000",
            "probe.trainImages=200",
            "probe.attentive.epochs=1",
            "data.validation=" + Rasterflow.HOME + "/streams/data/fashion-mnist/validation-00.tar.gz");

    @TempDir
    Path directory;

    private JsonNode train(Object... arguments) throws IOException, InterruptedException {
        Rasterflow.Result result = new Rasterflow(directory).run(words("train", "--json", words(arguments)), Map.of());
        assertEquals(0, result.exit(), result.text());
        return result.json();
    }

    private <T extends Event> List<T> events(String run, Class<T> type) throws IOException {
        try (Stream<Event> events = Journals.read(directory.resolve(run))) {
            return events.filter(type::isInstance).map(type::cast).toList();
        }
    }

    @Test
    void aCooldownBranchesOffFromACheckpointOfAConstantRun() throws Exception {
        JsonNode whole = train(
                List.of("--run", "whole", "cluster.replicas=2", "train.steps=20", "train.schedule=constant"),
                List.of(
                        "optimizer.ema=0.9",
                        "monitor.price=3",
                        "probe.also.knn.everySteps=1000",
                        "probe.sets=[" + set("early", 1) + ", " + set("late", 2) + "]"),
                SMALL,
                RECIPE);
        assertEquals("ema", whole.get("weights").asText());
        List<Event.Probe> all = events("whole", Event.Probe.class);
        List<Event.Probe> probes = all.stream().filter(probe -> !probe.beside()).toList();
        assertEquals(
                List.of("0 early 2", "0 late 2", "20 early 2", "20 late 2"),
                probes.stream()
                        .map(probe -> probe.step() + " " + probe.set() + " " + probe.sets())
                        .toList());
        List<Event.Probe> beside = all.stream().filter(Event.Probe::beside).toList();
        assertEquals(
                List.of("knn", "knn", "knn", "knn"),
                beside.stream().map(Event.Probe::kind).toList());
        assertEquals(
                (beside.get(2).accuracy() + beside.get(3).accuracy()) / 2,
                whole.at("/probesBeside/knn").asDouble(),
                1e-12);
        assertEquals(2_000, probes.get(0).validationImages());
        assertEquals(1_000, probes.get(1).validationImages());
        Sheet sheet = new ImageArchive(directory.resolve("whole"))
                .newest()
                .orElseThrow()
                .about();
        assertEquals(
                List.of("truth", "shown", "predicted", "error", "attention early", "attention late"), sheet.panels());
        List<Sheet.Attention> looked = sheet.images().get(0).attentions();
        assertEquals(
                List.of("early", "late"),
                looked.stream().map(Sheet.Attention::set).toList());
        assertNotEquals(looked.get(0).heads(), looked.get(1).heads(), "of two probes");
        double mean = (probes.get(2).accuracy() + probes.get(3).accuracy()) / 2;
        assertEquals(mean, whole.get("probe").asDouble(), 1e-12);
        assertEquals(probes.get(3).accuracy(), whole.at("/probeSets/late").asDouble());
        assertEquals(
                1.5, events("whole", Event.RunStarted.class).get(0).rankHourPrice(), "of one of two ranks of a node");
        Path origin = directory.resolve("whole/checkpoints/step-00000010");
        Map<Path, Long> before = files(directory.resolve("whole"));

        train("--from", origin, "--run", "cooled", "train.steps=16", "train.cooldownSteps=6");
        assertEquals(before, files(directory.resolve("whole")), "the old run was touched");
        for (String file : List.of("model.safetensors", "optimizer.safetensors", "ema.safetensors")) {
            assertArrayEquals(
                    Files.readAllBytes(origin.resolve(file)),
                    Files.readAllBytes(directory.resolve("cooled/checkpoints/step-00000010/" + file)),
                    file);
        }
        List<Event.Step> steps = events("cooled", Event.Step.class).stream()
                .filter(step -> step.rank() == 0)
                .toList();
        assertEquals(6, steps.size());
        for (int i = 0; i < 6; i++) {
            assertEquals(10 + i, steps.get(i).step());
            assertEquals(1.5e-3 * (1 - i / 6.0), steps.get(i).learningRate(), 1e-15);
        }
        assertEquals(
                origin.toString(),
                events("cooled", Event.RunStarted.class).get(0).origin());
        Event.RunStarted.Experiment experiment =
                events("cooled", Event.RunStarted.class).get(0).experiment();
        assertEquals(
                "autoregressive, raster order, prefix attention, normalised pixels, 28 px, patches of 7, 1 channel",
                experiment.objective());
        assertEquals("validation-00.tar.gz", experiment.validation());
        assertTrue(experiment.flopsPerImage() > 1e5, "FLOPs of an image");
        events("cooled", Event.Validation.class).forEach(measured -> assertEquals("ema", measured.weights()));

        JsonNode again = train("--from", origin, "--run", "again", "train.steps=20", "cluster.replicas=1");
        assertEquals(whole.get("weightsSha256"), again.get("weightsSha256"), "the branch is another run");
        assertEquals(
                Checkpoint.state(directory.resolve("whole/checkpoints/step-00000020"))
                        .emaSha256(),
                Checkpoint.state(directory.resolve("again/checkpoints/step-00000020"))
                        .emaSha256());

        Rasterflow.Result probe = new Rasterflow(directory)
                .run("probe", "--run", "whole", "--weights", "model", "--set", "late", "--json");
        assertEquals(0, probe.exit(), probe.text());
        assertEquals("model", probe.json().get("weights").asText());
        assertEquals(1_000, probe.json().get("validationImages").asInt(), probe.text());
        double ema = events("whole", Event.Validation.class).stream()
                .filter(measured -> measured.step() == 20)
                .mapToDouble(Event.Validation::loss)
                .findFirst()
                .orElseThrow();
        assertTrue(
                Math.abs(ema - probe.json().get("validationLoss").asDouble()) > 1e-6,
                "the average is not what was used");

        Rasterflow.Result refused = new Rasterflow(directory)
                .run("train", "--from", origin, "--run", "other", "train.batch=64", "train.steps=20");
        assertEquals(1, refused.exit(), refused.text());
        assertTrue(refused.err().contains("train.seed and train.batch cannot change"), refused.text());
        assertEquals(1, refused.err().lines().count(), refused.text());
        assertFalse(Files.exists(directory.resolve("other")), "a refused run leaves a directory");
    }

    /** Images of the bundled shards of a number, as a labelled set. */
    private static String set(String name, int shard) {
        String data = Rasterflow.HOME + "/streams/data/fashion-mnist/";
        return "{name=" + name + ", train=[\"" + data + "train-0" + shard + ".tar.gz\"], validation=[\"" + data
                + "validation-0" + shard + ".tar.gz\"], classes=10}";
    }

    private static Map<Path, Long> files(Path run) throws IOException {
        try (Stream<Path> files = Files.walk(run)) {
            return files.filter(Files::isRegularFile).collect(Collectors.toMap(file -> file, file -> file.toFile()
                    .lastModified()));
        }
    }

    @Test
    void aLossThatIsNotFiniteStopsBothRanksBeforeTheUpdate() throws Exception {
        Rasterflow.Result result = new Rasterflow(directory)
                .run(
                        words(
                                List.of("train", "--run", "diverged", "cluster.replicas=2"),
                                SMALL,
                                RECIPE,
                                List.of("train.steps=50", "train.warmupSteps=0", "train.learningRate=1e30")),
                        Map.of());
        assertEquals(1, result.exit(), result.text());
        assertTrue(result.err().contains("the loss of step 1 is NaN (micro-batch 0 of rank 0)"), result.text());
        assertTrue(result.err().contains("last checkpoint is step 0"), result.text());
        assertEquals(1, result.err().lines().count(), result.text());

        // Each rank has taken step 0 and no other.
        List<Event.Commit> commits = events("diverged", Event.Commit.class);
        assertEquals(
                List.of("0 main 0", "1 main 0"),
                commits.stream()
                        .map(commit -> commit.rank() + " " + commit.node() + " " + commit.step())
                        .sorted()
                        .toList());
        Path run = directory.resolve("diverged");
        Path latest = Checkpoint.latest(run).orElseThrow();
        assertEquals(0, Checkpoint.step(latest));
        assertEquals(0, Checkpoint.read(latest).state().step());
    }
}
