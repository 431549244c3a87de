package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.streams.feed.FeedReader;
import io.rasterflow.streams.feed.FeedSample;
import io.rasterflow.streams.feed.FeedServer;
import io.rasterflow.streams.feed.FeedServerConfig;
import io.rasterflow.streams.feed.FeedToken;
import io.rasterflow.tests.Paired;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What senders meet. */
@Paired
class FeedServerTest {

    private static final int SHARD = 10;
    private static FeedReceiver receiver;

    @TempDir
    Path folder;

    private FeedServer server;
    private FeedClient client;

    @BeforeAll
    static void begin() {
        receiver = new FeedReceiver();
    }

    @AfterAll
    static void end() {
        receiver.close();
    }

    @BeforeEach
    void start() throws IOException {
        server = receiver.start(FeedReceiver.buffer(folder, SHARD));
        client = new FeedClient(server.address());
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    private static byte[] png(int i) throws IOException {
        return TestData.png(TestData.pixels(i));
    }

    private FeedReader reader() throws IOException {
        return FeedReader.open(folder, Duration.ofSeconds(20));
    }

    @Test
    void imagesAreNumberedAndReadBackAsTheyCame() throws Exception {
        for (int i = 0; i < SHARD; i++) {
            String query = i == 3 ? "?key=caf%C3%A9/3&label=7&caption=a%20caf%C3%A9" : "";
            FeedClient.Answer answer = client.image(query, png(i));
            assertEquals(201, answer.status(), answer.error());
            assertEquals(i, answer.sequence());
            assertEquals(0, answer.json().get("shard").asInt());
            assertEquals(i, answer.json().get("sample").asInt());
        }
        try (FeedReader reader = reader()) {
            for (int i = 0; i < SHARD; i++) {
                FeedSample sample = reader.read(0, i);
                assertArrayEquals(png(i), sample.image());
                assertEquals(i == 3 ? "café/3" : "00000000000" + i, sample.key());
                assertEquals(i == 3 ? 7 : -1, sample.label());
                assertEquals(i == 3 ? "a café" : "", sample.caption());
                assertEquals(i, sample.sequence());
                assertTrue(Math.abs(sample.arrivedMillis() - System.currentTimeMillis()) < 600_000);
            }
            assertThrows(IndexOutOfBoundsException.class, () -> reader.read(0, SHARD));
        }
    }

    @Test
    void whatIsNoImageIsRefusedWithItsReason() throws Exception {
        byte[] image = png(1);
        assertRefused(400, "neither JPEG, PNG, WebP nor GIF", client.image("", new byte[100]));
        assertRefused(400, "zero bytes", client.image("", new byte[0]));
        assertRefused(400, "cut short", client.image("", Arrays.copyOf(image, image.length / 2)));
        assertRefused(400, "'cat' is no class number", client.image("?label=cat", image));
        assertRefused(400, "'-1' is no class number", client.image("?label=-1", image));
        assertRefused(400, "unknown parameter 'lable'", client.image("?lable=1", image));
        assertRefused(400, "the key has 600 bytes", client.image("?key=" + "k".repeat(600), image));
        assertRefused(415, "send an image", client.post("text/plain", "", BodyPublishers.ofByteArray(image)));
        assertRefused(
                415,
                "not compressed",
                client.post("image/png", "", BodyPublishers.ofByteArray(image), "Content-Encoding", "gzip"));
        assertRefused(
                403,
                "web pages",
                client.post("image/png", "", BodyPublishers.ofByteArray(image), "Origin", "http://evil.example"));
        assertRefused(404, "/images", client.get("/"));
        assertRefused(405, "only POST", client.get("/images"));
        assertEquals(0, client.status().get("received").asLong());
    }

    @Test
    void anImageThatIsTooLargeIsRefusedHoweverItsLengthIsTold() throws Exception {
        byte[] large = Arrays.copyOf(png(1), FeedReceiver.MAX_IMAGE_BYTES + 1);
        assertRefused(413, "at most 40000 bytes", client.image("", large));
        var chunked = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(large));
        assertRefused(413, "at most 40000 bytes", client.post("image/png", "", chunked));
        var small = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(pngOrFail()));
        assertEquals(201, client.post("image/png", "", small).status());
    }

    private static byte[] pngOrFail() {
        try {
            return png(1);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aRepeatedImageKeepsItsNumber() throws Exception {
        assertEquals(0, client.image("?key=a", png(1)).sequence());
        FeedClient.Answer again = client.image("?key=a", png(1));
        assertEquals(200, again.status());
        assertEquals(0, again.sequence());
        assertTrue(again.json().get("duplicate").asBoolean());
        assertRefused(409, "'a' is the key of another image, sample 0", client.image("?key=a", png(2)));
        var first = client.post("image/png", "", BodyPublishers.ofByteArray(png(3)), "Idempotency-Key", "once");
        var second = client.post("image/png", "", BodyPublishers.ofByteArray(png(3)), "Idempotency-Key", "once");
        assertEquals(List.of(201, 1L), List.of(first.status(), first.sequence()));
        assertEquals(List.of(200, 1L), List.of(second.status(), second.sequence()));
        // Without a key the same image is another arrival.
        assertEquals(2, client.image("", png(3)).sequence());
        assertEquals(3, client.image("", png(3)).sequence());

        server.close();
        server = receiver.start(FeedReceiver.buffer(folder, SHARD));
        client = new FeedClient(server.address());
        assertEquals(0, client.image("?key=a", png(1)).sequence(), "a restart forgot the key");
        assertEquals(4, client.status().get("received").asLong());
    }

    @Test
    void aTarBringsManyAndSaysWhatItLeftOut() throws Exception {
        Map<String, byte[]> entries = new TreeMap<>();
        for (int i = 0; i < 25; i++) {
            String key = String.format("../up/%03d", i);
            entries.put(key + ".png", i == 4 ? new byte[50] : png(i));
            entries.put(key + ".cls", TestData.text(i == 5 ? "dog" : Integer.toString(i)));
            entries.put(key + ".txt", TestData.text("image " + i));
            entries.put(key + ".json", TestData.text("{}"));
        }
        entries.put("huge.jpg", new byte[FeedReceiver.MAX_IMAGE_BYTES + 1]);
        entries.put("skipped.bin", new byte[3 << 20]);
        byte[] tar = Files.readAllBytes(TestData.tar(folder.resolve("t.tar"), entries));
        FeedClient.Answer answer = client.tar(tar);
        assertEquals(201, answer.status(), answer.error());
        assertEquals(23, answer.json().get("accepted").asInt());
        assertEquals(3, answer.json().get("rejected").asInt());
        assertEquals("[[0,22]]", answer.json().get("sequences").toString());
        List<String> faults = new ArrayList<>();
        answer.json().get("faults").forEach(fault -> faults.add(fault.get("key").asText()));
        assertEquals(List.of("../up/004", "../up/005", "huge"), faults);
        try (FeedReader reader = reader()) {
            FeedSample sample = reader.read(1, 9);
            assertEquals("../up/021", sample.key());
            assertEquals("image 21", sample.caption());
            assertEquals(21, sample.label());
            assertArrayEquals(png(21), sample.image());
        }
    }

    @Test
    void aTarThatBreaksOffKeepsWhatCameBefore() throws Exception {
        Map<String, byte[]> entries = new TreeMap<>();
        for (int i = 0; i < 6; i++) {
            entries.put("k" + i + ".png", png(i));
        }
        byte[] tar = Files.readAllBytes(TestData.tar(folder.resolve("t.tar"), entries));
        FeedClient.Answer cut = client.tar(Arrays.copyOf(tar, tar.length / 2));
        assertRefused(400, "no readable tar", cut);
        int accepted = cut.json().get("accepted").asInt();
        assertTrue(accepted > 0 && accepted < 6, "accepted " + accepted);
        FeedClient.Answer whole = client.tar(tar);
        assertEquals(accepted, whole.json().get("duplicates").asInt());
        assertEquals(6, client.status().get("received").asInt());

        assertRefused(400, "no readable tar", client.tar("garbage ".repeat(500).getBytes(StandardCharsets.US_ASCII)));
        assertRefused(400, "the tar holds no images", client.tar(new byte[0]));
        byte[] absurd = Files.readAllBytes(TestData.tar(folder.resolve("l.tar"), Map.of("n".repeat(200), new byte[9])));
        byte[] size = "77777777777".getBytes(StandardCharsets.US_ASCII); // The pax header claims 8 GB.
        System.arraycopy(size, 0, absurd, 124, size.length);
        checksum(absurd);
        byte[] long8 = Arrays.copyOf(absurd, 4 << 20);
        assertRefused(400, "no readable tar", client.tar(long8));
    }

    private static void checksum(byte[] header) {
        Arrays.fill(header, 148, 156, (byte) ' ');
        int sum = 0;
        for (int i = 0; i < 512; i++) {
            sum += header[i] & 0xFF;
        }
        byte[] text = String.format("%06o\0 ", sum).getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(text, 0, header, 148, text.length);
    }

    @Test
    void aBodyThatStopsInTheMiddleHarmsNobody() throws Exception {
        byte[] image = png(1);
        try (Socket socket = new Socket("127.0.0.1", server.address().getPort())) {
            String head = "POST /images HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: "
                    + image.length + "\r\n\r\n";
            socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().write(image, 0, image.length / 2);
            socket.getOutputStream().flush();
        }
        assertEquals(0, client.image("", image).sequence());
        assertEquals(1, client.status().get("received").asLong());
    }

    @Test
    void withoutItsTokenAFeedIsClosed() throws Exception {
        String secret = "s3cret-s3cret-s3cret";
        try (FeedServer guarded =
                receiver.start(FeedReceiver.buffer(folder.resolve("guarded"), SHARD), FeedToken.of(secret, "test"))) {
            FeedClient stranger = new FeedClient(guarded.address());
            assertRefused(401, "token", stranger.image("", png(1)));
            assertRefused(401, "token", stranger.get("/status"));
            for (String wrong : List.of("Bearer s3cret-s3cret-s3creT", "Bearer ", "Basic " + secret, secret)) {
                FeedClient liar = new FeedClient(guarded.address(), "Authorization", wrong);
                FeedClient.Answer answer = liar.image("", png(1));
                assertRefused(401, "token", answer);
                assertEquals(
                        "Bearer",
                        answer.response()
                                .headers()
                                .firstValue("WWW-Authenticate")
                                .orElse(""));
            }
            FeedClient friend = new FeedClient(guarded.address(), "Authorization", "Bearer " + secret);
            assertEquals(201, friend.image("", png(1)).status());
            assertEquals(1, friend.status().get("received").asLong());
        }
        assertFalse(FeedToken.of(secret, "test").toString().contains("s3cret"));
        assertThrows(IllegalArgumentException.class, () -> FeedToken.of("short", "test"));
    }

    @Test
    void otherHostsNeedATokenOrConsent() {
        IllegalArgumentException open = assertThrows(
                IllegalArgumentException.class, () -> new FeedServerConfig("0.0.0.0", 0, Optional.empty(), false, 1));
        assertTrue(open.getMessage().contains("--token-file"), open.getMessage());
        assertTrue(new FeedServerConfig("0.0.0.0", 0, Optional.empty(), true, 1).insecure());
        FeedToken token = FeedToken.of("0123456789abcdef", "test");
        assertFalse(new FeedServerConfig("0.0.0.0", 0, Optional.of(token), false, 1).insecure());
    }

    @Test
    void aPortInUseIsNamed() {
        FeedServerConfig taken =
                new FeedServerConfig("127.0.0.1", server.address().getPort(), Optional.empty(), false, 1 << 20);
        IOException e = assertThrows(
                IOException.class, () -> receiver.start(FeedReceiver.buffer(folder.resolve("other"), SHARD), taken));
        assertTrue(e.getMessage().startsWith("cannot listen on 127.0.0.1:" + taken.port()), e.getMessage());
    }

    @Test
    void manySendersLoseAndDoubleNothing() throws Exception {
        int senders = 6;
        int each = 60;
        ExecutorService threads = Executors.newFixedThreadPool(senders);
        Map<Long, Integer> acknowledged = new TreeMap<>();
        try (FeedReader reader = reader()) {
            List<Future<Map<Long, Integer>>> sent = new ArrayList<>();
            for (int s = 0; s < senders; s++) {
                int from = s * each;
                sent.add(threads.submit(() -> send(from, each)));
            }
            // Read while they send: every sample once, by walking the numbers.
            for (long sequence = 0; sequence < senders * each; sequence++) {
                FeedSample sample = reader.read(sequence);
                int i = Integer.parseInt(sample.key());
                assertArrayEquals(png(i), sample.image());
                assertEquals(null, acknowledged.put(sequence, i));
            }
            Map<Long, Integer> answered = new TreeMap<>();
            for (Future<Map<Long, Integer>> some : sent) {
                answered.putAll(some.get());
            }
            assertEquals(answered, acknowledged);
            assertEquals(
                    senders * each, acknowledged.values().stream().distinct().count());
            JsonNode status = client.status();
            assertEquals(senders * each, status.get("received").asInt());
            assertEquals(senders * each / SHARD, status.get("sealedShards").asInt());
            assertEquals(reader.sealedShards(), status.get("sealedShards").asLong());
        } finally {
            threads.shutdownNow();
        }
    }

    private Map<Long, Integer> send(int from, int count) throws IOException, InterruptedException {
        FeedClient sender = new FeedClient(server.address());
        Map<Long, Integer> numbers = new TreeMap<>();
        for (int i = from; i < from + count; i++) {
            FeedClient.Answer answer = sender.image("?key=" + i, png(i));
            assertEquals(201, answer.status(), answer.error());
            numbers.put(answer.sequence(), i);
        }
        return numbers;
    }

    private static void assertRefused(int status, String reason, FeedClient.Answer answer) {
        assertEquals(status, answer.status(), answer.error());
        assertTrue(answer.error().contains(reason), answer.error());
        assertFalse(answer.error().contains("\n"));
    }
}
