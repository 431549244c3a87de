package io.rasterflow.tests.endtoend;

import static io.rasterflow.tests.endtoend.Rasterflow.SMALL;
import static io.rasterflow.tests.endtoend.Rasterflow.words;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.export.TensorBoardExport;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.images.Sheet;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.monitoring.journal.MetricsExport;
import io.rasterflow.monitoring.journal.MetricsExport.Format;
import io.rasterflow.tests.Paired;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main job through the launcher: real processes, real sockets, real images. */
@Paired
class TrainTest {

    @TempDir
    Path directory;

    private JsonNode train(Object... arguments) throws IOException, InterruptedException {
        Rasterflow.Result result = new Rasterflow(directory).run("train", "--json", SMALL, words(arguments));
        assertEquals(0, result.exit(), result.text());
        return result.json();
    }

    /** A run on two trainer processes that is under way: the checkpoint of a step is there. */
    private Rasterflow.Running underWay(String run, int step, Object... arguments) throws IOException {
        Rasterflow.Running running = new Rasterflow(directory)
                .start(
                        words("train", "--run", run, SMALL, words(arguments), "--nodes", "2", "cluster.replicas=1"),
                        Map.of());
        awaitCheckpoint(run, step);
        return running;
    }

    private void awaitCheckpoint(String run, int step) {
        Path checkpoint = directory.resolve(String.format(Locale.ROOT, "%s/checkpoints/step-%08d", run, step));
        Awaitility.await().atMost(150, TimeUnit.SECONDS).until(() -> Files.isDirectory(checkpoint));
    }

    @Test
    void oneTwoAndFourTrainersInOneOrTwoProcessesGiveTheSameWeights() throws Exception {
        List<String> steps = List.of("train.steps=24", "train.checkpointEverySteps=12", "probe.everySteps=1000");
        Set<String> hashes = new HashSet<>();
        JsonNode one = train(steps, "--run", "w1", "cluster.replicas=1");
        assertEquals(1, one.get("worldSize").asInt());
        hashes.add(one.get("weightsSha256").asText());
        JsonNode two = train(steps, "--run", "w2", "--nodes", "2", "cluster.replicas=1");
        assertEquals(2, two.get("worldSize").asInt());
        hashes.add(two.get("weightsSha256").asText());
        JsonNode three = train(steps, "--run", "w3", "cluster.replicas=3");
        assertEquals(3, three.get("worldSize").asInt());
        hashes.add(three.get("weightsSha256").asText());
        JsonNode four = train(steps, "--run", "w4", "--nodes", "2", "cluster.replicas=2");
        assertEquals(4, four.get("worldSize").asInt());
        hashes.add(four.get("weightsSha256").asText());
        assertEquals(1, hashes.size(), "weights differ between world sizes: " + hashes);
        assertFalse(hashes.contains(""), "no hash was reported");

        List<String> noise = noiseScales("w1");
        assertEquals(24, noise.size());
        assertFalse(noise.get(23).equals("NaN"), noise.toString());
        assertEquals(noise, noiseScales("w2"), "the noise scale depends on the world size");

        for (String run : List.of("w1", "w2", "w3", "w4")) {
            theLedgerSumsToTheWallClock(run);
        }

        Audits.assertProvedUntilAJournalIsGone(new Rasterflow(directory), directory.resolve("w2"), 24 * 32);

        JsonNode otherSeed = train(steps, "--run", "seed1", "cluster.replicas=1", "train.seed=1");
        assertFalse(hashes.contains(otherSeed.get("weightsSha256").asText()), "the seed changes nothing");
    }

    /**
     * Between the ends of two steps of a rank in one generation the clock on the wall takes what the parts of the steps sum
     * to, but for 2 % and the time between the end of a step and its report, at most 20 ms.
     */
    private void theLedgerSumsToTheWallClock(String run) throws IOException {
        Map<String, List<Event.Step>> ranks;
        try (Stream<Event> events = Journals.read(directory.resolve(run))) {
            ranks = events.filter(Event.Step.class::isInstance)
                    .map(Event.Step.class::cast)
                    .collect(Collectors.groupingBy(step -> step.generation() + "/" + step.rank()));
        }
        int compared = 0;
        for (List<Event.Step> steps : ranks.values()) {
            Event.Step first = steps.get(0);
            Event.Step last = steps.get(steps.size() - 1);
            double wall = (last.timeMillis() - first.timeMillis()) / 1e3;
            double parts = steps.stream()
                    .skip(1)
                    .mapToDouble(step -> step.ledger().total())
                    .sum();
            assertEquals(
                    wall, parts, 0.02 * wall + 0.02, run + ", rank " + first.rank() + " in " + steps.size() + " steps");
            compared += steps.size() - 1;
        }
        assertTrue(compared >= 20, run + " has " + compared + " steps to compare");
    }

    private List<String> noiseScales(String run) throws IOException {
        try (Stream<Event> events = Journals.read(directory.resolve(run))) {
            return events.filter(event -> event instanceof Event.Step step && step.rank() == 0)
                    .map(event -> ((Event.Step) event).noiseScale().toString())
                    .toList();
        }
    }

    @Test
    void aRunThatWasKilledContinuesBitForBit() throws Exception {
        List<String> steps = List.of("train.steps=120", "train.checkpointEverySteps=30", "probe.everySteps=1000");
        JsonNode undisturbed = train(steps, "--run", "whole", "--nodes", "2", "cluster.replicas=1");

        Rasterflow.Running killed = underWay("cut", 30, steps);
        List<ProcessHandle> children = killed.process().descendants().toList();
        assertEquals(2, children.size(), "two trainer processes were expected");
        killed.process().toHandle().destroyForcibly();
        Awaitility.await("orphans end with the process that started them")
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
        assertFalse(
                Files.exists(directory.resolve("cut/checkpoints/step-00000120")), "killed too late to show anything");

        JsonNode resumed = train("--run", "cut", "--resume", "--nodes", "2");
        assertEquals(
                undisturbed.get("weightsSha256").asText(),
                resumed.get("weightsSha256").asText());
        assertEquals(120, resumed.get("steps").asLong());

        // Two ranks computed it, after a checkpoint or an interruption; one computes it again.
        JsonNode whole = replay("whole", 67);
        JsonNode cut = replay("cut", 67);
        assertEquals(60, whole.get("checkpoint").asLong());
        assertEquals(whole.get("digest").asText(), cut.get("digest").asText());
        assertEquals(32, whole.get("images").size());
        double mean = StreamSupport.stream(whole.get("images").spliterator(), false)
                .mapToDouble(image -> image.get("loss").asDouble())
                .average()
                .orElseThrow();
        double least = whole.get("images").get(31).get("loss").asDouble();
        double most = whole.get("images").get(0).get("loss").asDouble();
        assertTrue(least < mean && mean < most, least + " " + mean + " " + most);
        assertTrue(least < whole.get("loss").asDouble() && whole.get("loss").asDouble() < most, whole.toString());
        try (Stream<Path> extracted = Files.list(directory.resolve("whole-images"))) {
            assertEquals(10, extracted.count());
        }
        aRunGoesBackBeforeAStepWithoutItsWorstImages(whole);
    }

    private void aRunGoesBackBeforeAStepWithoutItsWorstImages(JsonNode replayed)
            throws IOException, InterruptedException {
        Rasterflow.Result back = new Rasterflow(directory)
                .run(
                        "rollback",
                        "--run",
                        "whole",
                        "--step",
                        "67",
                        "--top",
                        "3",
                        "--to",
                        "back",
                        "--json",
                        "train.steps=70",
                        "probe.everySteps=1000");
        assertEquals(0, back.exit(), back.text());
        assertEquals(70, back.json().get("steps").asLong());
        JsonNode again = replay("back", 67);
        assertEquals(60, again.get("checkpoint").asLong());
        Set<Long> worst = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            worst.add(replayed.get("images").get(i).get("position").asLong());
        }
        Set<Long> replaced = new HashSet<>();
        for (JsonNode image : again.get("images")) {
            if (!image.get("quarantined").asText().isEmpty()) {
                replaced.add(image.get("position").asLong());
            }
        }
        assertEquals(worst, replaced);
        assertEquals(
                keys("back", Event.BadSample.class, Event.BadSample::key),
                keys("back", Event.Thumbnail.class, Event.Thumbnail::key));
        Rasterflow.Result twice =
                new Rasterflow(directory).run("rollback", "--run", "whole", "--step", "67", "--to", "back");
        assertEquals(2, twice.exit(), twice.text());
        assertTrue(twice.err().contains("--to back exists already"), twice.text());
    }

    private <E extends Event> Set<String> keys(String run, Class<E> kind, Function<E, String> key) throws IOException {
        try (Stream<Event> events = Journals.read(directory.resolve(run))) {
            return events.filter(kind::isInstance).map(kind::cast).map(key).collect(Collectors.toSet());
        }
    }

    private JsonNode replay(String run, long step) throws IOException, InterruptedException {
        Rasterflow.Result result = new Rasterflow(directory)
                .run("replay", "--run", run, "--step", step, "--extract", run + "-images", "--json");
        assertEquals(0, result.exit(), result.text());
        assertTrue(result.json().get("bitForBit").asBoolean(), result.text());
        return result.json();
    }

    @Test
    void ctrlCLeavesACheckpointToResumeFrom() throws Exception {
        Rasterflow.Running running = underWay("stopped", 0, "train.steps=100000", "train.checkpointEverySteps=1000000");
        Awaitility.await().atMost(120, TimeUnit.SECONDS).until(() -> Files.readString(running.out())
                .contains("attentive probe"));
        List<ProcessHandle> children = running.process().descendants().toList();
        new ProcessBuilder("kill", "-INT", Long.toString(running.process().pid()))
                .start()
                .waitFor();
        Rasterflow.Result result = running.await();
        assertTrue(result.out().contains("stopped after "), result.text());
        assertTrue(children.stream().noneMatch(ProcessHandle::isAlive), "orphans are left");
        try (Stream<Path> checkpoints = Files.list(directory.resolve("stopped/checkpoints"))) {
            List<String> names = checkpoints
                    .map(path -> path.getFileName().toString())
                    .sorted()
                    .toList();
            assertEquals(2, names.size(), names.toString());
            assertTrue(names.get(1).matches("step-\\d{8}"), names.toString());
        }
    }

    @Test
    void memoryDescriptorsAndThreadsStayFlatOverAThousandSteps() throws Exception {
        Rasterflow rasterflow = new Rasterflow(directory);
        Rasterflow.Running running = rasterflow.start(
                words(
                        "train",
                        "--run",
                        "flat",
                        SMALL,
                        "train.batch=8",
                        "train.microBatches=2",
                        "train.steps=1000000",
                        "train.checkpointEverySteps=250",
                        "probe.everySteps=1000000",
                        "monitor.page=true",
                        "monitor.port=0"),
                Map.of("RASTERFLOW_JAVA_OPTS", "-Xms300m -Xmx300m -XX:+AlwaysPreTouch"));
        try {
            Usage early = usageAt(running, 500);
            Usage late = usageAt(running, 1500);
            assertTrue(late.residentKilobytes() - early.residentKilobytes() < 48_000, early + " → " + late);
            assertTrue(Math.abs(late.threads() - early.threads()) <= 8, early + " → " + late);
            assertTrue(Math.abs(late.descriptors() - early.descriptors()) <= 16, early + " → " + late);
        } finally {
            running.process().destroy();
            running.await();
        }
    }

    private record Usage(long residentKilobytes, long threads, long descriptors) {}

    private Usage usageAt(Rasterflow.Running running, int step) throws IOException {
        awaitCheckpoint("flat", step);
        Path process = Path.of("/proc", Long.toString(running.process().pid()));
        Map<String, Long> status = Files.readAllLines(process.resolve("status")).stream()
                .filter(line -> line.startsWith("VmRSS") || line.startsWith("Threads"))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf(':')),
                        line -> Long.parseLong(line.replaceAll("\\D", ""))));
        try (Stream<Path> descriptors = Files.list(process.resolve("fd"))) {
            return new Usage(status.get("VmRSS"), status.get("Threads"), descriptors.count());
        }
    }

    @Test
    void thePageAndTheMetricsAreServedWhileTraining() throws Exception {
        Rasterflow rasterflow = new Rasterflow(directory);
        Path told = directory.resolve("told");
        Rasterflow.Running running = rasterflow.start(
                words(
                        "train",
                        "--run",
                        "page",
                        SMALL,
                        "train.steps=100000",
                        "monitor.page=true",
                        "monitor.port=0",
                        "monitor.alarms.diskFreeBytes=" + Long.MAX_VALUE,
                        "monitor.alarms.command=[tee,\"" + told + "\"]"),
                Map.of());
        try {
            Awaitility.await().atMost(120, TimeUnit.SECONDS).until(() -> Files.readString(running.out())
                    .contains("step "));
            String page = Files.readString(running.out())
                    .lines()
                    .filter(line -> line.startsWith("live page"))
                    .findFirst()
                    .orElseThrow()
                    .replace("live page", "")
                    .strip();
            HttpClient client = HttpClient.newHttpClient();
            String html = get(client, page);
            assertTrue(html.contains("<html"), html);
            assertFalse(html.contains("https://"), "the page loads something from elsewhere");
            String metrics = get(client, page + (page.endsWith("/") ? "" : "/") + "metrics");
            assertTrue(metrics.contains("rasterflow_"), metrics);
            JsonNode status =
                    new ObjectMapper().readTree(get(client, page + (page.endsWith("/") ? "" : "/") + "api/status"));
            assertEquals("training", status.get("state").asText());
            assertTrue(status.get("step").asLong() >= 0);
            String images = page + (page.endsWith("/") ? "" : "/") + "api/images";
            Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> get(client, images)
                    .startsWith("{\"steps\":[0"));
            // No disk has so much room.
            Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.exists(told) && Files.size(told) > 0);
            assertTrue(Files.readString(told).contains("\"alarm\":\"disk\""), Files.readString(told));
            String alarmed = get(client, page + (page.endsWith("/") ? "" : "/") + "metrics");
            assertTrue(alarmed.contains("rasterflow_alarm_active{alarm=\"disk\"} 1.0"), alarmed);
            assertTrue(alarmed.contains("rasterflow_node_resident_bytes{node=\"main\"} "), "what a node takes");
        } finally {
            running.process().destroy();
            running.await();
        }
    }

    private static String get(HttpClient client, String uri) throws IOException, InterruptedException {
        HttpResponse<String> response =
                client.send(HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode(), uri);
        return response.body();
    }

    @Test
    void aRunLeavesWhatTheCommandLinePromises() throws Exception {
        JsonNode summary = train(
                "--run",
                "run",
                "train.steps=40",
                "train.checkpointEverySteps=20",
                "probe.everySteps=20",
                "probe.also.knn.everySteps=30",
                "monitor.exports=[tensorboard, jsonl, csv]",
                "cluster.replicas=2");
        assertEquals(40, summary.get("steps").asLong());
        assertTrue(summary.get("trainLossLast").asDouble()
                < summary.get("trainLossFirst").asDouble());
        assertTrue(summary.get("validationLoss").asDouble() > 0);
        assertTrue(summary.get("probeUntrained").asDouble() > 0.1);
        assertTrue(summary.get("probe").asDouble() > 0.1);
        assertEquals(3, summary.get("correlationPoints").asInt());
        assertTrue(summary.at("/probesBeside/knn").asDouble() > 0.1);
        assertTrue(Math.abs(summary.get("correlation").asDouble()) <= 1);
        assertTrue(summary.get("imagesPerSecond").asDouble() > 0);
        assertTrue(Path.of(summary.get("run").asText()).isAbsolute());
        Path run = directory.resolve("run");
        for (String file : List.of("model.safetensors", "optimizer.safetensors", "state.json")) {
            assertTrue(Files.size(run.resolve("checkpoints/step-00000040").resolve(file)) > 0, file);
        }
        assertTrue(Files.readString(run.resolve("config.conf")).contains("checkpointEverySteps"));

        whatWasExportedLiveIsWhatIsExportedNow(run);
        picturesAreLeftOfEveryEvaluation(run);
        eachKindOfProbeIsMadeAtItsOwnPace(run, summary);

        everyKindOfProbeReportsOn(run);

        Rasterflow.Result metrics = new Rasterflow(directory).run("metrics", "--run", "run");
        assertEquals(0, metrics.exit(), metrics.text());
        long rankZeroSteps = metrics.out()
                .lines()
                .filter(line -> line.contains("\"type\":\"step\"") && line.contains("\"rank\":0"))
                .count();
        assertEquals(40, rankZeroSteps);
        assertEquals(
                40 * 8,
                metrics.out()
                        .lines()
                        .filter(line -> line.contains("\"type\":\"lease\""))
                        .count());
    }

    private static void whatWasExportedLiveIsWhatIsExportedNow(Path run) throws IOException {
        for (Format format : Format.values()) {
            ByteArrayOutputStream now = new ByteArrayOutputStream();
            MetricsExport.write(run, format, new PrintStream(now, false, StandardCharsets.UTF_8));
            assertEquals(
                    now.toString(StandardCharsets.UTF_8), Files.readString(run.resolve("metrics." + format)), "live");
        }
        Path exported = TensorBoardExport.write(run, run.resolve("exported"));
        assertArrayEquals(
                Files.readAllBytes(exported),
                Files.readAllBytes(run.resolve("tensorboard").resolve(exported.getFileName())));
    }

    private static void eachKindOfProbeIsMadeAtItsOwnPace(Path run, JsonNode summary) throws IOException {
        List<Event.Probe> probes;
        try (Stream<Event> events = Journals.read(run)) {
            probes = events.filter(Event.Probe.class::isInstance)
                    .map(Event.Probe.class::cast)
                    .toList();
        }
        assertEquals(
                List.of("0 attentive", "0 knn", "20 attentive", "40 attentive", "40 knn"),
                probes.stream().map(probe -> probe.step() + " " + probe.kind()).toList());
        Event.Probe attentive = probes.get(3);
        Event.Probe knn = probes.get(4);
        assertEquals(summary.get("probe").asDouble(), attentive.accuracy());
        assertEquals(List.of(new Event.Probe.Layer("0-1", attentive.accuracy(), true)), attentive.layers());
        assertTrue(knn.beside() && !attentive.beside(), knn.toString());
        assertEquals(
                List.of("0", "1"),
                knn.layers().stream().map(Event.Probe.Layer::blocks).toList());
        assertEquals(
                List.of(knn.accuracy()),
                knn.layers().stream()
                        .filter(Event.Probe.Layer::chosen)
                        .map(Event.Probe.Layer::accuracy)
                        .toList());
        for (Event.Probe probe : List.of(attentive, knn)) {
            assertTrue(probe.cpuSeconds() > 0 && probe.cpuSeconds() < 4 * probe.seconds(), probe.toString());
        }
        // The one begins when the other is over.
        assertEquals(1e3 * knn.seconds(), knn.timeMillis() - attentive.timeMillis(), 1.0);
    }

    private static void picturesAreLeftOfEveryEvaluation(Path run) throws IOException {
        ImageArchive archive = new ImageArchive(run);
        assertEquals(List.of(0L, 20L, 40L), archive.steps());
        ImageArchive.Picture newest = archive.newest().orElseThrow();
        BufferedImage sheet = ImageIO.read(new ByteArrayInputStream(newest.png()));
        assertEquals(5 * 28 + 4 * 2, sheet.getWidth());
        assertEquals(8 * 28 + 7 * 2, sheet.getHeight());
        assertEquals(8, newest.about().images().size());
        for (Sheet.Image image : newest.about().images()) {
            assertEquals(
                    image.loss(),
                    image.losses().stream()
                            .filter(Objects::nonNull)
                            .mapToDouble(Double::doubleValue)
                            .average()
                            .orElseThrow(),
                    1e-9);
            assertEquals(
                    newest.about().grid() * newest.about().grid(),
                    image.losses().size());
            assertEquals(1, image.attentions().size(), "step 40 was probed");
            assertEquals("", image.attentions().get(0).set());
            for (List<Double> head : image.attentions().get(0).heads()) {
                assertEquals(image.losses().size(), head.size());
                assertTrue(head.stream().allMatch(weight -> weight >= 0), head.toString());
                assertEquals(1, head.stream().mapToDouble(Double::doubleValue).sum(), 1e-4);
            }
        }
        try (Stream<Event> events = Journals.read(run)) {
            List<Event.Histograms> histograms = events.filter(Event.Histograms.class::isInstance)
                    .map(Event.Histograms.class::cast)
                    .toList();
            assertEquals(
                    List.of(0L, 20L, 40L),
                    histograms.stream().map(Event.Histograms::step).toList());
            assertEquals(
                    List.of(1, 30),
                    Stream.of(histograms.get(0), histograms.get(2))
                            .flatMap(of -> of.histograms().stream())
                            .filter(of -> of.name().equals("averaged gradients/trunk.blocks.0"))
                            .map(of -> of.counts().size())
                            .toList(),
                    "no gradient before the first step, some later");
            assertTrue(
                    histograms.get(2).histograms().stream()
                            .anyMatch(of -> of.name().equals("weights/trunk.blocks.0")
                                    && of.count() > 10_000
                                    && of.min() < 0
                                    && of.max() > 0),
                    histograms.get(2).toString());
        }
        try (Stream<Event> events = Journals.read(run)) {
            assertEquals(
                    List.of("images/step-00000000", "images/step-00000020", "images/step-00000040"),
                    events.filter(Event.Images.class::isInstance)
                            .map(event -> ((Event.Images) event).path())
                            .toList());
        }
    }

    private void everyKindOfProbeReportsOn(Path run) throws IOException, InterruptedException {
        Path file = directory.resolve("probe.json");
        JsonNode attentive = probe(run, "attentive", "--grid", "--out", file);
        assertEquals("0-1", attentive.get("blocks").asText());
        assertEquals(7, attentive.get("learningRates").size());
        double best = 0;
        for (JsonNode rate : attentive.get("learningRates")) {
            best = Math.max(best, rate.get("heldOut").asDouble());
            if (rate.get("learningRate").equals(attentive.get("learningRate"))) {
                assertEquals(attentive.get("heldOut"), rate.get("heldOut"));
            }
        }
        assertEquals(best, attentive.get("heldOut").asDouble(), "the rate with the best held-out accuracy is taken");
        assertTrue(attentive.get("loss").asDouble() > 0);
        JsonNode full = new ObjectMapper().readTree(Files.readString(file));
        int images = 0;
        for (JsonNode row : full.get("confusion")) {
            for (JsonNode count : row) {
                images += count.asInt();
            }
        }
        assertEquals(attentive.get("validationImages").asInt(), images);
        assertEquals(10, full.get("classes").size());
        assertEquals(attentive.get("probe"), full.get("probe"));

        // The cache holds one layer at a time, so that the images are read once for each.
        JsonNode each = probe(run, "linear", "--layers", "each", "probe.cacheBytes=400000");
        assertEquals(2, each.get("layers").size());
        JsonNode alone = probe(run, "linear", "--layers", "1");
        assertEquals(alone.get("probe"), each.get("layers").get(1).get("probe"));
        assertEquals(alone.get("loss"), each.get("layers").get(1).get("loss"));

        JsonNode knn = probe(run, "knn", "--layers", "0-1");
        assertTrue(knn.get("loss").isNull(), knn.toString());

        try (Stream<Event> events = Journals.read(run)) {
            List<Event.Probe> journalled = events.filter(event -> Event.Probe.VERB.equals(event.node()))
                    .map(Event.Probe.class::cast)
                    .toList();
            String data = " --data validation-00.tar.gz";
            assertEquals(
                    List.of(
                            "attentive" + data + " --grid",
                            "linear" + data + " --layers each probe.cacheBytes=400000",
                            "linear" + data + " --layers 1",
                            "knn" + data + " --layers 0-1"),
                    journalled.stream().map(Event.Probe::kind).toList());
            assertEquals(knn.get("probe").asDouble(), journalled.get(3).accuracy());
            assertEquals(40, journalled.get(3).step());
        }
    }

    private JsonNode probe(Path run, String kind, Object... arguments) throws IOException, InterruptedException {
        Path shard = Rasterflow.HOME.resolve("streams/data/fashion-mnist/validation-00.tar.gz");
        Rasterflow.Result result = new Rasterflow(directory)
                .run("probe", "--run", run, "--kind", kind, "--data", shard, "--json", words(arguments));
        assertEquals(0, result.exit(), result.text());
        assertTrue(result.out().contains("precision"), result.text());
        JsonNode fields = result.json();
        assertEquals(kind, fields.get("kind").asText());
        assertEquals(1000, fields.get("trainImages").asInt());
        // Chance is 0.1 with a deviation of 0.007 on 2,000 images.
        assertTrue(fields.get("probe").asDouble() > 0.13, fields.toString());
        assertTrue(fields.get("top5").asDouble() >= fields.get("probe").asDouble(), fields.toString());
        return fields;
    }
}
