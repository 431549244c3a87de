package io.rasterflow.tests.endtoend;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.rasterflow.tests.Paired;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The verbs of {@code data} as a user types them. */
@Paired
class DataTest {

    private static final int IMAGES = 60;

    @TempDir
    Path directory;

    private static byte[] jpeg(int i) throws IOException {
        BufferedImage image = new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB);
        image.createGraphics().drawLine(i % 40, 0, 39 - i % 40, i % 30);
        image.setRGB(i % 40, i / 40, 0xFFFFFF);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "jpg", out);
        return out.toByteArray();
    }

    /** Serves images for as long as there are permits. */
    private static final class Server implements AutoCloseable {
        private final HttpServer server;
        private final ExecutorService threads = Executors.newCachedThreadPool();
        private final Semaphore permits = new Semaphore(0);
        private final Map<Integer, Integer> requests = new ConcurrentHashMap<>();

        private Server() throws IOException {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.createContext("/", this::handle);
            server.setExecutor(threads);
            server.start();
        }

        private void handle(HttpExchange exchange) throws IOException {
            try (exchange) {
                int i = Integer.parseInt(exchange.getRequestURI().getPath().substring(1));
                requests.merge(i, 1, Integer::sum);
                permits.acquire();
                byte[] jpeg = jpeg(i);
                exchange.sendResponseHeaders(i % 10 == 7 ? 404 : 200, jpeg.length);
                exchange.getResponseBody().write(jpeg);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private List<String> list() {
            String base = "http://localhost:" + server.getAddress().getPort() + "/";
            return IntStream.range(0, IMAGES)
                    .mapToObj(i -> base + i + " " + i % 3)
                    .toList();
        }

        @Override
        public void close() {
            server.stop(0);
            threads.shutdownNow();
        }
    }

    @Test
    void packingThatWasKilledGoesOnAndEndsWithTheSameBytes() throws Exception {
        Rasterflow rasterflow = new Rasterflow(directory);
        try (Server server = new Server()) {
            Files.write(directory.resolve("list.txt"), server.list());
            List<String> pack =
                    Rasterflow.words("data", "pack", "--urls", "list.txt", "--out", "out", "--per-shard", 20);
            pack.addAll(List.of("--connections", "4", "--timeout", "600"));
            Path journal = directory.resolve("out/.train.pack.jsonl");
            server.permits.release(25);
            Rasterflow.Running victim = rasterflow.start(pack, Map.of());
            // Image by image, until a checkpoint stands in the middle of a shard that is not the first.
            await().atMost(Duration.ofSeconds(150))
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> {
                        boolean inTheMiddle = Files.exists(journal)
                                && Files.readString(journal).contains("\"name\":\"train-00000.tar\"")
                                && Files.readAllLines(journal).stream()
                                        .reduce((a, b) -> b)
                                        .orElse("")
                                        .matches(".*\"partSamples\":[1-9].*");
                        if (!inTheMiddle && server.permits.hasQueuedThreads() && server.requests.size() < IMAGES - 10) {
                            server.permits.release();
                        }
                        return inTheMiddle;
                    });
            victim.process().toHandle().destroyForcibly();
            assertTrue(victim.process().waitFor(30, TimeUnit.SECONDS));
            assertEquals(137, victim.process().exitValue(), "it was to die of SIGKILL");
            assertTrue(Files.exists(directory.resolve("out/train-00000.tar")));
            assertFalse(Files.exists(directory.resolve("out/manifest.json")));

            server.permits.release(100_000);
            Rasterflow.Result resumed = rasterflow.run(pack, Map.of());
            assertEquals(0, resumed.exit(), resumed.text());
            for (int i = 0; i < 20; i++) {
                assertEquals(1, server.requests.get(i), "image " + i + " of a finished shard");
            }
            pack.set(5, "whole");
            Rasterflow.Result whole = rasterflow.run(pack, Map.of());
            assertEquals(0, whole.exit(), whole.text());
            assertTrue(whole.out().contains("54 images of 3 classes in 3 shards"), whole.text());
            assertTrue(whole.out().contains("6 images could not be packed, see whole/failures.jsonl"), whole.text());
            assertSame(directory.resolve("whole"), directory.resolve("out"));
        }
    }

    private static void assertSame(Path expected, Path actual) throws IOException {
        Map<String, byte[]> files = visible(expected);
        Map<String, byte[]> others = visible(actual);
        assertEquals(files.keySet(), others.keySet());
        for (String name : files.keySet()) {
            assertArrayEquals(files.get(name), others.get(name), name);
        }
    }

    private static Map<String, byte[]> visible(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> listing = Files.list(folder)) {
            for (Path file : listing.toList()) {
                if (!file.getFileName().toString().startsWith(".")) {
                    files.put(file.getFileName().toString(), Files.readAllBytes(file));
                }
            }
        }
        return files;
    }

    @Test
    void aFolderIsPackedVerifiedAndInspected() throws Exception {
        for (int i = 0; i < 9; i++) {
            Path file = directory.resolve("images/" + (i % 3 == 0 ? "sea" : "land") + "/" + i + ".jpg");
            Files.createDirectories(file.getParent());
            Files.write(file, jpeg(i));
        }
        Rasterflow rasterflow = new Rasterflow(directory);
        List<Object> pack =
                List.of("data", "pack", "--folder", "images", "--out", "out", "--per-shard", "5", "--shuffle", "1");
        Rasterflow.Result packed = rasterflow.run(Rasterflow.words(pack, "--json"), Map.of());
        assertEquals(0, packed.exit(), packed.text());
        assertEquals(9, packed.json().get("images").asInt());
        assertEquals("out/manifest.json", packed.json().get("manifest").asText());

        Rasterflow.Result inspected = rasterflow.run(
                "data", "inspect", "out/manifest.json", "--cache", "cache", "--sheet", "sheet.png", "--json");
        assertEquals(0, inspected.exit(), inspected.text());
        assertTrue(inspected.out().contains("labels    2, of 3 to 6 samples, balance 0.50"), inspected.text());
        assertTrue(inspected.out().contains("6  0 land"), inspected.text());
        assertEquals(9, inspected.json().get("formats").get("JPEG").asInt());
        assertEquals(30, inspected.json().get("medianShorterSide").asInt());
        assertEquals(
                3 * 132 + 4,
                ImageIO.read(directory.resolve("sheet.png").toFile()).getWidth());

        Path shard = directory.resolve("out/train-00001.tar");
        byte[] bytes = Files.readAllBytes(shard);
        bytes[512 + 512 + 512 + 1] ^= 1; // the second byte of its first image
        Files.write(shard, bytes);
        Rasterflow.Result verified =
                rasterflow.run("data", "verify", "out/manifest.json", "--cache", "cache", "--json");
        assertEquals(1, verified.exit(), verified.text());
        assertTrue(verified.out().contains("/out/train-00001.tar has the sha256"), verified.text());
        assertTrue(verified.out().contains("/out/train-00001.tar at 1536 "), verified.text());
        assertEquals(1, verified.json().get("broken").asInt());
        assertEquals("", verified.err());

        Rasterflow.Result other = rasterflow.run(Rasterflow.words(pack, "--dedup"), Map.of());
        assertEquals(1, other.exit(), other.text());
        assertEquals(1, other.err().lines().count(), other.text());
        assertTrue(other.err().contains("packed with --dedup 'off', and now it would be with --dedup 'on'"));
    }

    @Test
    void wrongUseIsToldInOneLine() throws Exception {
        Rasterflow rasterflow = new Rasterflow(directory);
        Rasterflow.Result both = rasterflow.run("data", "pack", "--folder", "a", "--urls", "b", "--out", "c");
        assertEquals(2, both.exit(), both.text());
        assertTrue(both.err().contains("--folder") && both.err().contains("--urls"), both.text());
        Rasterflow.Result size = rasterflow.run("data", "pack", "--folder", ".", "--out", "c", "--shard-bytes", "many");
        assertEquals(2, size.exit(), size.text());
        assertTrue(size.err().contains("'--shard-bytes': many is no size such as 500000, 300M or 2G"), size.text());
        Rasterflow.Result help = rasterflow.run("data", "pack", "--help");
        assertEquals(0, help.exit(), help.text());
        assertTrue(
                help.out().replaceAll("\\s+", " ").contains("goes on when the same command is given again"),
                help.text());
    }
}
