package io.rasterflow.tests.endtoend;

import static io.rasterflow.tests.endtoend.Rasterflow.SMALL;
import static io.rasterflow.tests.endtoend.Rasterflow.words;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.tests.Paired;
import io.rasterflow.tests.streams.storage.S3Server;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main job on images that do not lie in local shards. */
@Paired
class SourcesTest {

    private static final Path BUNDLED = Rasterflow.HOME.resolve("streams/data/fashion-mnist");
    private static final List<String> STEPS = List.of(
            "train.steps=12", "train.checkpointEverySteps=6", "probe.everySteps=1000", "data.stream.windowShards=2");

    @TempDir
    Path directory;

    @Test
    void aMixtureFromS3TrainsAsTheSameShardsOnThisMachine() throws Exception {
        try (S3Server s3 = new S3Server(directory)) {
            for (String name : List.of("train-00.tar.gz", "train-01.tar.gz")) {
                Files.copy(BUNDLED.resolve(name), s3.bucket("images").resolve(name));
            }
            JsonNode local = mixture("local", BUNDLED + "/train-{00..01}.tar.gz", Map.of());
            JsonNode remote = mixture(
                    "remote",
                    "s3://images/train-{00..01}.tar.gz",
                    Map.of(
                            "AWS_ACCESS_KEY_ID", s3.accessKey,
                            "AWS_SECRET_ACCESS_KEY", s3.secretKey,
                            "AWS_REGION", "us-east-1"),
                    "data.storage.s3.endpoint=\"" + s3.endpoint + "\"",
                    "data.storage.s3.pathStyle=true",
                    "--nodes",
                    "2",
                    "cluster.replicas=1");
            assertEquals(local.get("weightsSha256"), remote.get("weightsSha256"));
            assertTrue(local.get("weightsSha256").asText().length() == 64, local.toString());
        }
        for (String run : List.of("local", "remote")) {
            List<Event.Input> inputs = events(run, Event.Input.class);
            Event.Input last = inputs.get(inputs.size() - 1);
            assertEquals(
                    List.of("few", "many"),
                    last.sources().stream().map(Event.Input.Source::name).toList());
            double few = last.sources().get(0).images();
            double many = last.sources().get(1).images();
            assertEquals(12 * 32, few + many);
            assertEquals(0.8, many / (few + many), 0.05);
            assertTrue(
                    last.stages().stream().anyMatch(s -> s.name().equals("decode") && s.items() > 100),
                    last.toString());
        }
        List<Event.Curated> curated = events("remote", Event.Curated.class);
        assertEquals(
                List.of("few", "many"),
                curated.stream().map(Event.Curated::source).distinct().toList());
        long all = 0;
        for (Event.Curated source : curated) {
            long duplicates = source.causes().getOrDefault("duplicate", 0L);
            all += duplicates;
            assertTrue(source.samples() > duplicates, source.toString());
            assertEquals(
                    duplicates,
                    source.shardsWithMost().stream()
                            .mapToLong(Event.Curated.Shard::duplicates)
                            .sum());
            assertTrue(source.pairs().stream().allMatch(pair -> pair.bits() <= 6), source.toString());
            assertEquals(Math.min(20, duplicates), source.pairs().size(), source.toString());
        }
        assertTrue(all > 0, curated.toString());
        Event.Cache cache = events("remote", Event.Cache.class).get(0);
        assertEquals(directory.resolve("remote-cache").toString(), cache.directory());
        // Those of the training, and that of the validation images once they are wanted.
        assertTrue(cache.shards() == 3 || cache.shards() == 4, cache.toString());
        assertTrue(cache.heldBytes() > 1_000_000 && cache.heldBytes() < cache.limitBytes(), cache.toString());
        try (Stream<Path> files = Files.list(directory.resolve("remote-cache"))) {
            assertEquals(
                    3,
                    files.filter(file -> file.getFileName().toString().matches("train-0[012]-[0-9a-f]+\\.tar"))
                            .count(),
                    "two shards were fetched, one was expanded");
        }
        try (Stream<Path> files = Files.walk(directory.resolve("remote"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertTrue(
                        !new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1)
                                .contains("secret-"),
                        file.toString());
            }
        }
    }

    private JsonNode mixture(String run, String many, Map<String, String> environment, String... more)
            throws Exception {
        Rasterflow.Result result = new Rasterflow(directory)
                .run(
                        words(
                                "train",
                                "--json",
                                "--run",
                                run,
                                SMALL,
                                STEPS,
                                "data.cache.directory=" + directory.resolve(run + "-cache"),
                                "data.sources.many.shards=[\"" + many + "\"]",
                                "data.sources.many.weight=0.8",
                                "data.curate.nearDuplicates.window=50",
                                "data.curate.nearDuplicates.distance=6",
                                "data.sources.few.shards=[\"" + BUNDLED + "/train-02.tar.gz\"]",
                                "data.sources.few.weight=0.2",
                                List.of(more)),
                        environment);
        assertEquals(0, result.exit(), result.text());
        return result.json();
    }

    private <E extends Event> List<E> events(String run, Class<E> kind) throws Exception {
        try (Stream<Event> events = Journals.read(directory.resolve(run))) {
            return events.filter(kind::isInstance).map(kind::cast).toList();
        }
    }

    @Test
    void aLiveFeedIsTrainedOn() throws Exception {
        Rasterflow.Running feed = new Rasterflow(directory)
                .start(words("feed", "--dir", "feed", "--port", "0", "--shard-samples", "100"), Map.of());
        try {
            Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.readString(feed.out())
                    .contains("/images"));
            String address = Files.readString(feed.out())
                    .lines()
                    .filter(line -> line.startsWith("feed "))
                    .map(line -> line.replaceFirst("feed +", ""))
                    .findFirst()
                    .orElseThrow();
            Rasterflow.Running train = new Rasterflow(directory)
                    .start(
                            words("train", "--json", "--run", "live", SMALL, STEPS, "data.feed.directory=feed"),
                            Map.of());
            HttpResponse<String> answer;
            try (InputStream tar = new GZIPInputStream(Files.newInputStream(BUNDLED.resolve("train-00.tar.gz")))) {
                answer = HttpClient.newHttpClient()
                        .send(
                                HttpRequest.newBuilder(URI.create(address))
                                        .header("Content-Type", "application/x-tar")
                                        .POST(HttpRequest.BodyPublishers.ofByteArray(tar.readAllBytes()))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString());
            }
            assertEquals(2, answer.statusCode() / 100, answer.body());
            Rasterflow.Result result = train.await();
            assertEquals(0, result.exit(), result.text());
            assertEquals(12, result.json().get("steps").asInt(), result.text());
            List<Event.Input> inputs = events("live", Event.Input.class);
            assertEquals(12 * 32, inputs.get(inputs.size() - 1).sources().get(0).images());
            String consumer;
            try (Stream<Path> consumers = Files.list(directory.resolve("feed/consumers"))) {
                consumer = Files.readString(consumers.findFirst().orElseThrow());
            }
            assertTrue(consumer.contains("\"position\":" + 12 * 32), consumer);
        } finally {
            feed.process().destroy();
            assertTrue(feed.process().waitFor(30, TimeUnit.SECONDS));
        }
    }
}
