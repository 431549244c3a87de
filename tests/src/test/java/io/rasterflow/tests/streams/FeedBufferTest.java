package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.streams.feed.DamagedSampleException;
import io.rasterflow.streams.feed.DeletedSampleException;
import io.rasterflow.streams.feed.FeedConfig;
import io.rasterflow.streams.feed.FeedConsumer;
import io.rasterflow.streams.feed.FeedLayout;
import io.rasterflow.streams.feed.FeedOrder;
import io.rasterflow.streams.feed.FeedReader;
import io.rasterflow.streams.feed.FeedServer;
import io.rasterflow.streams.feed.FeedSilentException;
import io.rasterflow.tests.Paired;
import java.awt.image.BufferedImage;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What lies on disk: bounded, replayable, checked, continued. */
@Paired
class FeedBufferTest {

    private static final int SHARD = 10;
    private static final Duration LONG = Duration.ofSeconds(20);
    private static FeedReceiver receiver;

    @TempDir
    Path folder;

    @BeforeAll
    static void begin() {
        receiver = new FeedReceiver();
    }

    @AfterAll
    static void end() {
        receiver.close();
    }

    /** Noise of about 32 kB. */
    private static byte[] image(int i) throws IOException {
        BufferedImage image = new BufferedImage(180, 180, BufferedImage.TYPE_BYTE_GRAY);
        byte[] noise = new byte[180 * 180];
        new Random(i).nextBytes(noise);
        image.getRaster().setDataElements(0, 0, 180, 180, noise);
        return TestData.encode(image, "png");
    }

    private static void post(FeedClient client, int from, int to) throws Exception {
        for (int i = from; i < to; i++) {
            FeedClient.Answer answer = client.image("", image(i));
            assertEquals(201, answer.status(), answer.error());
            assertEquals(i, answer.sequence());
        }
    }

    private static long diskBytes(Path folder) throws Exception {
        Process du = new ProcessBuilder("du", "-s", "-B1", folder.toString()).start();
        String line = new String(du.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertTrue(du.waitFor(20, TimeUnit.SECONDS));
        return Long.parseLong(line.split("\t")[0]);
    }

    @Test
    void aFullBufferWaitsForItsConsumersAndThenDeletesTheOldest() throws Exception {
        long maxBytes = 1 << 20;
        FeedOrder order = new FeedOrder(1, SHARD, 1);
        try (FeedServer server =
                        receiver.start(FeedReceiver.buffer(folder, SHARD).withMaxBytes(maxBytes));
                FeedReader reader = FeedReader.open(folder, LONG)) {
            FeedClient client = new FeedClient(server.address());
            int sent = 0;
            FeedClient.Answer answer = client.image("", image(sent));
            while (answer.status() == 201) {
                answer = client.image("", image(++sent));
            }
            assertEquals(503, answer.status());
            assertTrue(answer.error().contains("no consumer is registered"), answer.error());
            assertTrue(answer.response().headers().firstValue("Retry-After").isPresent());
            assertTrue(sent > 2 * SHARD && sent < 4 * SHARD, "sent " + sent);

            FeedConsumer consumer = FeedConsumer.register(folder, "run", 0, order.firstShard(0));
            answer = client.image("", image(sent));
            assertEquals(503, answer.status());
            assertTrue(answer.error().contains("consumer 'run' still needs shard 0"), answer.error());
            assertArrayEquals(image(3), reader.read(0, 3).image());

            for (long position = 0; position < 10 * SHARD; position++) {
                assertEquals(
                        order.sequence(position),
                        reader.read(order.sequence(position)).sequence());
                consumer.advance(position + 1, order.firstShard(position + 1));
                for (answer = client.image("", image(sent)); answer.status() == 201; ) {
                    answer = client.image("", image(++sent));
                }
            }
            JsonNode status = client.status();
            assertEquals(10, status.get("oldestShard").asInt());
            assertEquals(sent, status.get("received").asInt());
            assertTrue(status.get("bytes").asLong() <= maxBytes, status.toString());
            assertEquals(10 * SHARD, status.at("/consumers/0/position").asInt());
            assertTrue(diskBytes(folder) < maxBytes + (100 << 10), "uses " + diskBytes(folder));

            DeletedSampleException deleted =
                    assertThrows(DeletedSampleException.class, () -> reader.read(9 * SHARD + 1));
            assertTrue(deleted.getMessage().contains("the oldest that is kept is sample 100"), deleted.getMessage());
            assertEquals(100, order.firstPosition(deleted.oldestShard()));
            assertThrows(DeletedSampleException.class, () -> FeedConsumer.register(folder, "late", 0, 0));
            for (int i = 0; i < SHARD; i++) {
                assertArrayEquals(image(100 + i), reader.read(10, i).image());
            }
            Awaitility.await().until(() -> {
                reader.read(10, 0);
                return !Files.readString(Path.of("/proc/self/maps")).contains(folder + "/queue/19700101-0009.cq4");
            });
        }
        // Nobody has passed shard 10, also after a restart.
        try (FeedServer server =
                receiver.start(FeedReceiver.buffer(folder, SHARD).withMaxBytes(maxBytes))) {
            FeedClient client = new FeedClient(server.address());
            assertEquals(503, client.image("", image(0)).status());
            assertEquals(10, client.status().get("oldestShard").asInt());
        }
    }

    @Test
    void aTarWaitsForRoom() throws Exception {
        try (FeedServer server =
                receiver.start(FeedReceiver.buffer(folder, SHARD).withMaxBytes(1 << 20))) {
            FeedClient client = new FeedClient(server.address());
            var entries = new java.util.TreeMap<String, byte[]>();
            for (int i = 0; i < 50; i++) {
                entries.put(String.format("%03d.png", i), image(i));
            }
            FeedConsumer consumer = FeedConsumer.register(folder, "run", 0, 0);
            byte[] tar = Files.readAllBytes(TestData.tar(folder.resolve("t.tar"), entries));
            var answer = CompletableFuture.supplyAsync(() -> {
                try {
                    return client.tar(tar);
                } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            Awaitility.await().until(() -> client.image("", image(99)).status() == 503);
            consumer.advance(0, 100);
            assertEquals(201, answer.get().status(), answer.get().error());
            assertEquals(50, answer.get().json().get("accepted").asInt());
        }
    }

    @Test
    void aDamagedConsumerKeepsEverything() throws Exception {
        try (FeedServer server =
                receiver.start(FeedReceiver.buffer(folder, SHARD).withMaxBytes(1 << 20))) {
            FeedClient client = new FeedClient(server.address());
            FeedConsumer.register(folder, "good", 0, 0).advance(1_000, 100);
            Files.writeString(folder.resolve("consumers/bad"), "garbage");
            int sent = 0;
            while (client.image("", image(sent)).status() == 201) {
                sent++;
            }
            assertEquals(0, client.status().get("oldestShard").asInt());
            Files.delete(folder.resolve("consumers/bad"));
            assertEquals(201, client.image("", image(sent)).status());
            assertThrows(IllegalArgumentException.class, () -> FeedConsumer.register(folder, "../x", 0, 5));
            assertThrows(IllegalArgumentException.class, () -> FeedConsumer.register(folder, ".x", 0, 5));
        }
    }

    @Test
    void aFullDiskIsToldToTheSender() throws Exception {
        FeedConfig config = new FeedConfig(
                folder, Optional.of(new FeedLayout(SHARD, 40_000)), 1 << 30, 1L << 60, FeedConfig.Durability.PROCESS);
        try (FeedServer server = receiver.start(config)) {
            FeedClient.Answer answer = new FeedClient(server.address()).image("", image(0));
            assertEquals(503, answer.status());
            assertTrue(answer.error().contains("MB free"), answer.error());
        }
    }

    @Test
    void aBufferThatCanNoLongerBeWrittenEndsItsReceiver() throws Exception {
        try (FeedServer server = receiver.start(FeedReceiver.buffer(folder, SHARD))) {
            FeedClient client = new FeedClient(server.address());
            post(client, 0, SHARD);
            Files.move(folder.resolve("queue"), folder.resolve("gone"));
            Files.writeString(folder.resolve("queue"), "in its place");
            FeedClient.Answer answer = client.image("", image(SHARD));
            assertEquals(503, answer.status());
            assertTrue(answer.error().startsWith("the feed cannot be written"), answer.error());
            ExecutionException ended = assertThrows(
                    ExecutionException.class,
                    () -> server.ended().toCompletableFuture().get(20, TimeUnit.SECONDS));
            assertInstanceOf(IOException.class, ended.getCause());
            assertEquals(503, client.image("", image(SHARD)).status());
        }
    }

    @Test
    void aReaderThatWaitsIsToldOfSilenceInterruptionAndClosing() throws Exception {
        try (FeedServer server = receiver.start(FeedReceiver.buffer(folder, SHARD))) {
            post(new FeedClient(server.address()), 0, 13);
            try (FeedReader impatient = FeedReader.open(folder, Duration.ofMillis(300))) {
                assertEquals(1, impatient.sealedShards());
                FeedSilentException silent = assertThrows(FeedSilentException.class, () -> impatient.read(1, 0));
                assertTrue(silent.getMessage().contains("silent for 0.3 s"), silent.getMessage());
                assertTrue(silent.getMessage().contains("3 of its 10"), silent.getMessage());
            }
            FeedReader reader = FeedReader.open(folder, LONG);
            Waiting first = new Waiting(reader);
            first.thread.interrupt();
            assertInstanceOf(InterruptedIOException.class, first.failure());
            Waiting second = new Waiting(reader);
            reader.close();
            assertInstanceOf(IllegalStateException.class, second.failure());
            assertThrows(IllegalStateException.class, () -> reader.read(0, 0));
        }
    }

    /** A thread that reads what has not arrived. */
    private static final class Waiting {
        private final CompletableFuture<Void> result = new CompletableFuture<>();
        private final Thread thread;

        private Waiting(FeedReader reader) {
            thread = new Thread(() -> {
                try {
                    reader.read(1, 0);
                    result.complete(null);
                } catch (IOException | RuntimeException e) {
                    result.completeExceptionally(e);
                }
            });
            thread.start();
            Awaitility.await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);
        }

        private Throwable failure() throws Exception {
            return assertThrows(ExecutionException.class, () -> result.get(20, TimeUnit.SECONDS))
                    .getCause();
        }
    }

    @Test
    void aRestartContinuesInTheMiddleOfAShard() throws Exception {
        int sent = 0;
        for (int next : new int[] {4, 9, 10, 10, 27, 31}) {
            try (FeedServer server = receiver.start(FeedReceiver.buffer(folder, SHARD))) {
                FeedClient client = new FeedClient(server.address());
                assertEquals(sent, client.status().get("received").asInt());
                assertEquals(sent / SHARD, client.status().get("sealedShards").asInt());
                post(client, sent, next);
                sent = next;
            }
        }
        try (FeedReader reader = FeedReader.open(folder, LONG)) {
            assertEquals(3, reader.sealedShards());
            assertEquals(0, reader.oldestShard());
            for (int i = 0; i < 30; i++) {
                assertArrayEquals(image(i), reader.read(i).image());
            }
        }
        FeedLayout other = new FeedLayout(SHARD + 1, FeedReceiver.MAX_IMAGE_BYTES);
        IOException e = assertThrows(
                IOException.class, () -> receiver.start(FeedConfig.of(folder).withLayout(other)));
        assertTrue(e.getMessage().contains("shardSamples=11"), e.getMessage());
        receiver.start(new FeedConfig(folder, Optional.empty(), 1 << 30, 0, FeedConfig.Durability.PROCESS))
                .close();
    }

    @Test
    void aSecondReceiverIsRefused() throws Exception {
        FeedServer first = receiver.start(FeedReceiver.buffer(folder, SHARD));
        IOException e = assertThrows(IOException.class, () -> receiver.start(FeedReceiver.buffer(folder, SHARD)));
        assertTrue(
                e.getMessage()
                        .startsWith("another receiver (process "
                                + ProcessHandle.current().pid()),
                e.getMessage());
        first.close();
        receiver.start(FeedReceiver.buffer(folder, SHARD)).close();
    }

    @Test
    void anyByteThatChangesIsNoticed() throws Exception {
        try (FeedServer server = receiver.start(FeedReceiver.buffer(folder, SHARD))) {
            post(new FeedClient(server.address()), 0, SHARD + 5);
        }
        TreeSet<Path> files = cycleFiles();
        flip(files.first(), image(3), 1_000);
        flip(files.first(), image(6), -10); // in the head: its length fields and checksum
        flip(files.last(), image(12), 17_000);
        try (FeedReader reader = FeedReader.open(folder, LONG)) {
            for (int i = 0; i < SHARD; i++) {
                int sample = i;
                if (i == 3 || i == 6) {
                    DamagedSampleException e = assertThrows(DamagedSampleException.class, () -> reader.read(0, sample));
                    assertEquals(i, e.sequence());
                } else {
                    assertArrayEquals(image(i), reader.read(0, i).image());
                }
            }
        }
        try (FeedServer server = receiver.start(FeedReceiver.buffer(folder, SHARD));
                FeedReader reader = FeedReader.open(folder, LONG)) {
            post(new FeedClient(server.address()), SHARD + 5, 2 * SHARD);
            assertThrows(DamagedSampleException.class, () -> reader.read(12));
            assertArrayEquals(image(13), reader.read(13).image());
        }
        byte[] half = Files.readAllBytes(files.first());
        Files.write(files.first(), Arrays.copyOf(half, 200_000));
        try (FeedReader reader = FeedReader.open(folder, LONG)) {
            assertArrayEquals(image(0), reader.read(0).image());
            assertThrows(IOException.class, () -> reader.read(9));
        }
    }

    private TreeSet<Path> cycleFiles() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("queue"))) {
            TreeSet<Path> found = new TreeSet<>();
            files.filter(file -> file.toString().endsWith(".cq4")).forEach(found::add);
            return found;
        }
    }

    /** Changes one bit at an offset from where an image begins. */
    private static void flip(Path file, byte[] image, int offset) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        byte[] start = Arrays.copyOfRange(image, 60, 100); // past what all images share
        for (int at = 60; at < bytes.length - start.length; at++) {
            if (Arrays.equals(bytes, at, at + start.length, start, 0, start.length)) {
                bytes[at - 60 + offset] ^= 4;
                Files.write(file, bytes);
                return;
            }
        }
        throw new AssertionError("the image is not in " + file);
    }

    @Test
    void theListOfSealedShardsMayBeTornButNotLost() throws Exception {
        try (FeedServer server = receiver.start(FeedReceiver.buffer(folder, SHARD))) {
            post(new FeedClient(server.address()), 0, 2 * SHARD + 1);
        }
        Path sealed = folder.resolve("sealed");
        Files.write(sealed, new byte[7], StandardOpenOption.APPEND);
        try (FeedServer server = receiver.start(FeedReceiver.buffer(folder, SHARD))) {
            assertEquals(
                    2,
                    new FeedClient(server.address())
                            .status()
                            .get("sealedShards")
                            .asInt());
        }
        assertEquals(32, Files.size(sealed));
        Files.delete(sealed);
        IOException lost = assertThrows(IOException.class, () -> receiver.start(FeedReceiver.buffer(folder, SHARD)));
        assertTrue(lost.getMessage().contains("lists 0 shards"), lost.getMessage());
    }

    @Test
    void aFolderWithoutAFeedSaysHowToStartOne() {
        FileNotFoundException e =
                assertThrows(FileNotFoundException.class, () -> FeedReader.open(folder.resolve("none"), LONG));
        assertTrue(e.getMessage().contains("rasterflow feed --dir"), e.getMessage());
    }
}
