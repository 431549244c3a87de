package io.rasterflow.tests.endtoend;

import static io.rasterflow.tests.endtoend.Rasterflow.SMALL;
import static io.rasterflow.tests.endtoend.Rasterflow.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.cli.Main;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.Compute;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.checkpoint.WeightsHash;
import io.rasterflow.tests.Paired;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verb finetune on an untrained checkpoint and real images: what it learns, leaves and refuses. */
@Paired
class FineTuneTest {

    private static final Path BUNDLED = Rasterflow.HOME.resolve("streams/data/fashion-mnist");

    @TempDir
    static Path directory;

    private static Path train;
    private static Path run;

    @BeforeAll
    static void checkpoint() throws Exception {
        train = directory.resolve("train.tar.gz");
        Path validation = directory.resolve("validation.tar.gz");
        assertEquals(0, Shards.copyDamaged(BUNDLED.resolve("train-00.tar.gz"), train, 600, 10_000));
        assertEquals(0, Shards.copyDamaged(BUNDLED.resolve("validation-00.tar.gz"), validation, 300, 10_000));
        run = Files.createDirectories(directory.resolve("run"));
        RunConfig.Resolved resolved =
                RunConfig.load("", words(SMALL, "data.train=" + train, "data.validation=" + validation));
        Files.writeString(run.resolve("config.conf"), resolved.text());
        RunConfig config = resolved.config();
        try (Replica replica = Aim.replica(config.model(), config.optimizer(), Compute.REFERENCE)) {
            replica.initialise(1);
            Snapshot snapshot = replica.snapshot();
            String hash = WeightsHash.sha256(snapshot.weights());
            Checkpoint.write(run, snapshot, new TrainingState(0, 0, 0, 1, 1, Double.NaN, Double.NaN, hash));
        }
    }

    @Test
    void adaptersBeatChanceOnRealImagesAndLeaveWhatIsPromised() throws Exception {
        Rasterflow.Result result = new Rasterflow(directory)
                .run(
                        "finetune",
                        "--run",
                        run,
                        "--kind",
                        "lora",
                        "--json",
                        "finetune.epochs=6",
                        "finetune.batch=30",
                        "finetune.learningRate=1e-2",
                        "finetune.mixup=0.2",
                        "finetune.cutmix=0.5",
                        "finetune.mixProbability=0.3",
                        "finetune.erasing=0.1");
        assertEquals(0, result.exit(), result.text());
        JsonNode json = result.json();
        assertEquals("lora", json.get("kind").asText());
        assertEquals(6, json.get("epochs").asInt());
        assertTrue(json.get("accuracy").asDouble() > 0.25, result.text());
        assertTrue(json.get("top5").asDouble() >= json.get("accuracy").asDouble());
        assertTrue(json.get("imagesPerSecond").asDouble() > 0);
        int dim = 32;
        long adapters = 2 * 3 * 2 * 8 * dim;
        assertEquals(
                adapters + dim + 2 * dim * dim + 10 * dim,
                json.get("trainableParameters").asLong());
        assertEquals(
                6,
                result.out().lines().filter(line -> line.startsWith("epoch ")).count(),
                result.text());

        Path out = run.resolve("finetune/lora-step-00000000");
        assertEquals(out.toString(), json.get("out").asText());
        assertEquals(
                Set.of("model.safetensors", "adapters.safetensors", "head.safetensors", "finetune.json"), names(out));
        Safetensors before = Safetensors.read(run.resolve("checkpoints/step-00000000/model.safetensors"));
        Safetensors model = Safetensors.read(out.resolve("model.safetensors"));
        assertEquals(before.tensors().keySet(), model.tensors().keySet());
        Safetensors adapter = Safetensors.read(out.resolve("adapters.safetensors"));
        assertEquals("8", adapter.metadata().get("rank"));
        assertEquals(12, adapter.tensors().size());
        assertEquals(
                Set.of("bn.running_mean", "bn.running_var", "cls_token", "k.weight", "v.weight", "linear.weight"),
                Safetensors.read(out.resolve("head.safetensors")).tensors().keySet());
        JsonNode report =
                new ObjectMapper().readTree(out.resolve("finetune.json").toFile());
        assertEquals(6, report.get("history").size());
        assertTrue(report.get("history").get(5).get("trainLoss").asDouble()
                < report.get("history").get(0).get("trainLoss").asDouble());
        assertEquals(json.get("accuracy"), report.get("accuracy"));
    }

    @Test
    void everyWeightLearnsAndTheResultIsThatOfTheSeed() throws Exception {
        List<String> arguments = words(
                "finetune",
                "--run",
                run,
                "--kind",
                "full",
                "finetune.epochs=1",
                "finetune.batch=50",
                "train.precision=fp32");
        for (String out : List.of("first", "second")) {
            Rasterflow.Result result = inProcess(words(arguments, "--out", directory.resolve(out)));
            assertEquals(0, result.exit(), result.text());
        }
        Path first = directory.resolve("first");
        assertEquals(Set.of("model.safetensors", "head.safetensors", "finetune.json"), names(first));
        assertEquals(hash(first), hash(directory.resolve("second")));
        assertFalse(hash(first).equals(hash(run.resolve("checkpoints/step-00000000"))));
        // A second fine-tuning replaces the first.
        Rasterflow.Result again = inProcess(words(arguments, "--out", first, "finetune.seed=5"));
        assertEquals(0, again.exit(), again.text());
        assertFalse(hash(first).equals(hash(directory.resolve("second"))));
        try (Stream<Path> left = Files.list(directory)) {
            assertTrue(left.noneMatch(path -> path.getFileName().toString().startsWith(".first")));
        }
    }

    @Test
    void badInputIsOneLine() throws Exception {
        refused(2, "no config.conf", "--run", directory.resolve("nowhere"));
        refused(2, "no checkpoint of step 7", "--run", run, "--step", 7);
        refused(2, "--kind", "--run", run, "--kind", "half");
        refused(2, "did you mean finetune.epochs", "--run", run, "finetune.epochz=3");
        refused(
                2,
                "finetune.layerDecay must be above 0 and at most 1 but is 2.0",
                "--run",
                run,
                "finetune.layerDecay=2");
        refused(2, "finetune.kind must be one of", "--run", run, "finetune.kind=half");
        refused(2, "among the training and the validation shards", "--run", run, "--validation", train);
        refused(1, "finetune.classes", "--run", run, "finetune.classes=3", "finetune.epochs=1");
        refused(1, "trunk.blocks.2", "--run", run, "model.trunk.blocks=3");
        Path taken = Files.createDirectories(directory.resolve("taken"));
        Files.writeString(taken.resolve("letter.txt"), "dear reader");
        refused(1, "holds something else", "--run", run, "--out", taken);
        assertEquals(Set.of("letter.txt"), names(taken));
        refused(1, "cannot be written", "--run", run, "--out", "/proc/nowhere/out");
    }

    private static void refused(int exit, String expected, Object... arguments) {
        Rasterflow.Result result = inProcess(words("finetune", words(arguments)));
        assertEquals(exit, result.exit(), result.text());
        String first = result.err().lines().findFirst().orElse("");
        assertTrue(first.startsWith("rasterflow: ") && first.contains(expected), result.text());
        assertFalse(result.err().contains("\tat "), result.text());
    }

    private static Rasterflow.Result inProcess(List<String> arguments) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(
                System.out, new PrintStream(err, true, StandardCharsets.UTF_8), arguments.toArray(String[]::new));
        return new Rasterflow.Result(exit, "", err.toString(StandardCharsets.UTF_8));
    }

    private static String hash(Path folder) throws Exception {
        return WeightsHash.sha256(
                Safetensors.read(folder.resolve("model.safetensors")).tensors());
    }

    private static Set<String> names(Path folder) throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
        }
    }
}
