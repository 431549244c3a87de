package io.rasterflow.tests.streams.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.storage.ObjectInfo;
import io.rasterflow.streams.storage.Storage;
import io.rasterflow.streams.storage.StorageConfig;
import io.rasterflow.streams.storage.StorageException;
import io.rasterflow.tests.Paired;
import io.rasterflow.tests.streams.storage.FlakyServer.Reply;
import io.rasterflow.tests.streams.storage.FlakyServer.Reply.Then;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing grows with the number of fetches, and nothing is left after the end. */
@Paired
class StorageResourcesTest {

    private static final byte[] OBJECT = Storages.bytes(200_000, 1);
    private static final int FETCHES = 160;
    private static final int THREADS = 4;

    @TempDir
    private Path folder;

    /** Half of the responses break in one way or another. */
    private static FlakyServer server() throws IOException {
        AtomicInteger number = new AtomicInteger();
        return new FlakyServer(request -> {
            Reply reply = FlakyServer.serve(request, OBJECT, "\"v1\"");
            return switch (number.getAndIncrement() % 8) {
                case 0 -> reply.until(50_000, Then.CLOSE);
                case 2 -> reply.until(0, Then.STALL);
                case 4 -> Reply.of("503 Busy", new byte[100]);
                case 6 -> reply.until(100_000, Then.RESET);
                default -> reply;
            };
        });
    }

    @Test
    void threadsDescriptorsAndMemoryDoNotGrow() throws Exception {
        try (FlakyServer server = server()) {
            Storage storage = new Storage(new StorageConfig(
                    20,
                    1,
                    5,
                    400,
                    60_000,
                    50,
                    0,
                    5,
                    new StorageConfig.S3(server.uri("").toString(), "", true)));
            System.setProperty("aws.accessKeyId", "any");
            System.setProperty("aws.secretAccessKey", "any");
            Set<String> before;
            try {
                before = threads();
                List<URI> uris = List.of(server.uri("/a.tar"), URI.create("s3://shards/a.tar"));
                fetch(storage, uris, 40); // classes, pools
                settle(server);
                long descriptors = descriptors();
                long heap = heap();
                int running = threads().size();
                fetch(storage, uris, FETCHES);
                settle(server);
                assertTrue(threads().size() <= running + 4, threads() + " but " + running + " before");
                assertTrue(descriptors() <= descriptors + 8, descriptors() + " descriptors, before " + descriptors);
                assertTrue(heap() <= heap + (16 << 20), heap() + " bytes of heap, before " + heap);
                assertTrue(storage.metrics().total().hedges() > 0);
            } finally {
                storage.close();
                System.clearProperty("aws.accessKeyId");
                System.clearProperty("aws.secretAccessKey");
            }
            storage = null; // only then JDK 17's HTTP client ends its thread
            Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                System.gc();
                Set<String> left = threads();
                left.removeAll(before);
                assertEquals(Set.of(), left);
            });
        }
    }

    private void fetch(Storage storage, List<URI> uris, int count) throws Exception {
        ExecutorService callers = Executors.newFixedThreadPool(THREADS);
        try {
            List<CompletableFuture<Void>> fetches = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                URI uri = uris.get(i % uris.size());
                Path part = folder.resolve("part-" + i);
                fetches.add(CompletableFuture.runAsync(() -> fetch(storage, uri, part), callers));
            }
            for (CompletableFuture<Void> fetch : fetches) {
                fetch.get();
            }
        } finally {
            callers.shutdown();
        }
    }

    private static void fetch(Storage storage, URI uri, Path part) {
        try {
            storage.fetch(new ObjectInfo(uri, OBJECT.length, "\"v1\"", Optional.empty()), part);
            assertEquals(OBJECT.length, Files.size(part));
            Files.delete(part);
        } catch (StorageException e) {
            throw new AssertionError(e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until the server has let go of the connections of cancelled requests. */
    private static void settle(FlakyServer server) {
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> server.clients() == 0);
    }

    /** All but those of the test and of the JVM as a whole. */
    private static Set<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(thread -> thread.getName() + "#" + thread.getId())
                .filter(name -> !name.matches("(flaky-server|pool-|awaitility|CompletableFutureDelay|ForkJoin).*"))
                .collect(Collectors.toSet());
    }

    private static long descriptors() throws IOException {
        try (var files = Files.list(Path.of("/proc/self/fd"))) {
            return files.count();
        }
    }

    private static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
