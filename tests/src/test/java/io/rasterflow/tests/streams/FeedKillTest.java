package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.cli.Main;
import io.rasterflow.streams.feed.FeedReader;
import io.rasterflow.streams.feed.FeedSample;
import io.rasterflow.tests.Jvm;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code rasterflow feed} as a process of its own, killed under load. Two starts of a JVM: about six seconds. */
class FeedKillTest {

    private static final String TOKEN = "t0ken-t0ken-t0ken-t0ken";
    private static final int SENDERS = 3;
    private static final int EACH = 100;
    private static final int KILL_AT = 110;
    private static final Duration PATIENCE = Duration.ofSeconds(100);

    @TempDir
    Path folder;

    private Process process;
    private Path output;

    private URI start() throws IOException {
        Path token = Files.writeString(folder.resolve("token"), TOKEN + "\n");
        List<String> command = Jvm.command(
                List.of("-Xmx200m"),
                Main.class,
                "--debug",
                "feed",
                "--port=0",
                "--token-file=" + token,
                "--shard-samples=20",
                "--max-image-bytes=40000",
                "--dir=" + folder.resolve("feed"));
        output = Files.createTempFile(folder, "output", ".txt");
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        Optional<URI> address = Awaitility.await()
                .atMost(PATIENCE)
                .until(
                        () -> Files.readAllLines(output).stream()
                                .filter(line -> line.startsWith("feed ") && line.endsWith("/images"))
                                .map(line -> URI.create(line.substring(line.indexOf("http"))))
                                .findFirst(),
                        found -> found.isPresent() || !process.isAlive());
        return address.orElseThrow(() -> new AssertionError(outputText()));
    }

    private String outputText() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    @Timeout(240)
    void killedUnderLoadItKeepsWhatItAcknowledged() throws Exception {
        AtomicReference<URI> address = new AtomicReference<>(start());
        Path victimOutput = output;
        AtomicReference<ProcessHandle> victim = new AtomicReference<>(process.toHandle());
        Map<Integer, Long> acknowledged = new ConcurrentHashMap<>();
        ExecutorService threads = Executors.newFixedThreadPool(SENDERS + 1);
        Map<Integer, Long> read;
        try (FeedReader reader = FeedReader.open(folder.resolve("feed"), PATIENCE)) {
            Future<Map<Integer, Long>> reading = threads.submit(() -> readAll(reader));
            List<Future<?>> senders = new ArrayList<>();
            for (int s = 0; s < SENDERS; s++) {
                int from = s * EACH;
                senders.add(threads.submit(() -> send(address, acknowledged, from, victim)));
            }
            assertTrue(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS));
            assertEquals(137, process.exitValue(), outputText());
            address.set(start());
            for (Future<?> sender : senders) {
                sender.get();
            }
            read = reading.get();
            requireLocked();
            sendOddTokens(address.get());
        } finally {
            threads.shutdownNow();
            process.destroy();
        }
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(143, process.exitValue(), outputText());
        assertEquals(acknowledged, read);
        assertTrue(outputText().contains("DEBUG"), "the test means detailed logs: " + outputText());
        assertFalse((outputText() + Files.readString(victimOutput)).contains("t0ken"), "a token was printed");
    }

    /** In this process, while another receives: every sample once, by its number. */
    private static Map<Integer, Long> readAll(FeedReader reader) throws IOException {
        Map<Integer, Long> read = new HashMap<>();
        for (long sequence = 0; sequence < SENDERS * EACH; sequence++) {
            FeedSample sample = reader.read(sequence);
            int i = Integer.parseInt(sample.key());
            assertArrayEquals(TestData.png(TestData.pixels(i)), sample.image());
            assertNull(read.put(i, sequence), "image " + i + " is there twice");
        }
        return read;
    }

    private void requireLocked() {
        try (FeedReceiver receiver = new FeedReceiver()) {
            IOException taken = assertThrows(
                    IOException.class, () -> receiver.start(FeedReceiver.buffer(folder.resolve("feed"), 20)));
            assertTrue(
                    taken.getMessage().startsWith("another receiver (process " + process.pid() + ")"),
                    taken.getMessage());
        }
    }

    /**
     * Sends what was not acknowledged again, under the same key, until it is. The one who sees enough kills the victim, while
     * the others send.
     */
    private static Void send(
            AtomicReference<URI> address,
            Map<Integer, Long> acknowledged,
            int from,
            AtomicReference<ProcessHandle> victim)
            throws Exception {
        for (int i = from; i < from + EACH; i++) {
            byte[] image = TestData.png(TestData.pixels(i));
            while (!acknowledged.containsKey(i)) {
                URI current = address.get();
                try {
                    FeedClient client = new FeedClient(current, "Authorization", "Bearer " + TOKEN);
                    acknowledged.put(i, client.image("?key=" + i, image).sequence());
                } catch (IOException e) {
                    Awaitility.await().atMost(PATIENCE).until(() -> address.get() != current);
                }
            }
            ProcessHandle receiver = acknowledged.size() < KILL_AT ? null : victim.getAndSet(null);
            if (receiver != null) {
                receiver.destroyForcibly();
            }
        }
        return null;
    }

    /** Tokens in headers that are wrong in ways that servers like to log. */
    private static void sendOddTokens(URI address) throws Exception {
        FeedClient odd = new FeedClient(address, "Authorization", "Bearer \"" + TOKEN + "\" \\,=");
        assertEquals(401, odd.image("", TestData.png(TestData.pixels(1))).status());
        for (String header : List.of("Authorization: Bearer \u0001" + TOKEN, "Author ization: Bearer " + TOKEN)) {
            try (Socket socket = new Socket(address.getHost(), address.getPort())) {
                String request = "POST /images HTTP/1.1\r\nHost: x\r\n" + header + "\r\nContent-Length: 0\r\n\r\n";
                socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
                byte[] answer = socket.getInputStream().readNBytes(10);
                assertEquals("HTTP/1.1 4", new String(answer, StandardCharsets.US_ASCII));
            }
        }
    }
}
