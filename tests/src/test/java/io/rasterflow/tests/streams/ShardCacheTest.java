package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.shard.CacheConfig;
import io.rasterflow.streams.shard.CacheUsage;
import io.rasterflow.streams.shard.DataConfig;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.Manifest;
import io.rasterflow.tests.Jvm;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Remote shards in the local cache. */
@Timeout(60)
@Paired
class ShardCacheTest {

    private static final int SAMPLES = 40;

    @TempDir
    Path folder;

    private Path origin;
    private Path cache;
    private ShardServer server;

    @BeforeEach
    void serve() throws IOException {
        origin = Files.createDirectory(folder.resolve("origin"));
        cache = folder.resolve("cache");
        server = new ShardServer(origin);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void remoteShardsAreReadAsLocalOnesAndFetchedOnce() throws Exception {
        List<Path> shards = shards(3);
        try (DataSet local = DataSet.open(List.of(origin.toString()), folder.resolve("other"));
                DataSet remote = DataSet.open(List.of(server.url("s-{00..02}.tar")), cache)) {
            assertEquals(3 * SAMPLES, remote.size());
            for (int shard = 0; shard < 3; shard++) {
                for (int sample = 0; sample < SAMPLES; sample++) {
                    assertArrayEquals(
                            local.read(shard, sample).bytes(),
                            remote.read(shard, sample).bytes());
                }
            }
        }
        assertEquals(3, server.gets().size());
        server.forget();
        try (DataSet again = DataSet.open(List.of(server.url("s-{00..02}.tar")), cache)) {
            assertEquals(SAMPLES, again.sampleCounts()[2]);
            assertEquals("0000", again.read(0, 0).key());
        }
        assertEquals(List.of(), server.gets(), "it is in the cache");
        assertEquals(3, shards.size());
    }

    @Test
    void withAManifestNothingIsAskedForBeforeItIsNeeded() throws Exception {
        List<Path> shards = shards(3);
        manifest(shards, SAMPLES);
        try (DataSet data = DataSet.open(List.of(server.url("manifest.json")), cache)) {
            assertEquals(3 * SAMPLES, data.size());
            assertTrue(server.requests().stream().noneMatch(request -> request.contains(".tar")));
            assertEquals("0080", data.read(2, 0).key());
            assertEquals(List.of("GET s-02.tar"), tars());
        }
    }

    @Test
    void aShardThatIsNotWhatTheManifestSaysIsNamed() throws Exception {
        List<Path> shards = shards(2);
        manifest(shards, SAMPLES);
        byte[] bytes = Files.readAllBytes(shards.get(1));
        bytes[600] ^= 1;
        Files.write(shards.get(1), bytes);
        try (DataSet data = DataSet.open(List.of(server.url("manifest.json")), cache)) {
            IOException e = assertThrows(IOException.class, () -> data.read(1, 0));
            assertTrue(e.getMessage().contains("s-01.tar"), e.getMessage());
            assertTrue(e.getMessage().contains("SHA256"), e.getMessage());
            assertFalse(e.getMessage().contains("\n"));
        }
        manifest(shards, SAMPLES + 1);
        try (DataSet data = DataSet.open(List.of(server.url("manifest.json")), cache)) {
            IOException e = assertThrows(IOException.class, () -> data.read(0, 0));
            assertTrue(e.getMessage().contains("s-00.tar has 40 samples, but 41"), e.getMessage());
        }
    }

    @Test
    void theCacheStaysWithinItsBytes() throws Exception {
        List<Path> shards = shards(10);
        long each = Files.size(shards.get(0));
        try (DataSet data = DataSet.open(List.of(server.url("s-{00..09}.tar")), config(3 * each + 100, 1))) {
            for (int shard = 0; shard < 10; shard++) {
                assertEquals(
                        String.format("%04d", shard * SAMPLES),
                        data.read(shard, 0).key());
                assertTrue(content().size() <= 3, "shards in the cache: " + content());
            }
            assertEquals(3, content().size());
            assertEquals("0007", data.read(0, 7).key(), "a shard that had to go comes again");
            CacheUsage usage = data.cache();
            assertEquals(3 * each, usage.heldBytes());
            assertEquals(3 * each + 100, usage.config().bytes());
            assertEquals(3, usage.shards());
            assertTrue(usage.misses() > 10 && usage.evictions() == usage.misses() - 3, usage.toString());
            assertEquals(usage.misses() * each, usage.fetched().bytes());
            assertEquals(0, usage.filling());
            long hits = usage.hits();
            data.prefetch(new int[] {0});
            Awaitility.await().until(() -> data.cache().hits() == hits + 1);
            assertEquals(usage.misses(), data.cache().misses());
        }
        assertEquals(10, files(cache, ".idx").size(), "indexes are kept");
    }

    @Test
    void theLeastRecentlyUsedGoesFirst() throws Exception {
        List<Path> shards = shards(4);
        manifest(shards, SAMPLES);
        DataConfig config = config(2 * Files.size(shards.get(0)) + 100, 1);
        for (int shard : new int[] {0, 1, 0, 2}) {
            try (DataSet data = DataSet.open(List.of(server.url("manifest.json")), config)) {
                assertEquals(
                        String.format("%04d", shard * SAMPLES),
                        data.read(shard, 0).key());
            }
        }
        assertEquals(List.of("s-00", "s-02"), content());
    }

    @Test
    void shardsComeInNeedOrderBeforeTheyAreNeeded() throws Exception {
        manifest(shards(6), SAMPLES);
        try (DataSet data = DataSet.open(List.of(server.url("manifest.json")), config(0, 1))) {
            data.prefetch(new int[] {4, 1, 3});
            Awaitility.await().until(() -> content().size() == 3);
            assertEquals(List.of("GET s-04.tar", "GET s-01.tar", "GET s-03.tar"), tars());
            assertEquals("0040", data.read(1, 0).key());
            assertEquals(3, tars().size());
        }
    }

    @Test
    void aShardThatIsReplacedDuringTheRunIsNamed() throws Exception {
        List<Path> shards = shards(1);
        DataConfig config = config(0, 1);
        try (DataSet data = DataSet.open(List.of(server.url("s-00.tar")), config)) {
            assertEquals(SAMPLES, data.size());
            for (Path file : files(cache, ".tar")) {
                Files.delete(file);
            }
            TestData.tarWithBroken(shards.get(0), 100, 110, Map.of());
            Files.setLastModifiedTime(shards.get(0), FileTime.fromMillis(1_000_000_000_000L));
            IOException e = assertThrows(IOException.class, () -> data.read(0, 0));
            assertTrue(
                    e.getMessage().contains("s-00.tar") && e.getMessage().contains("it was replaced while in use"),
                    e.getMessage());
        }
    }

    /** A process that opens a data set and says what it read. */
    static final class Reader {
        public static void main(String[] args) throws IOException {
            try (DataSet data = DataSet.open(List.of(args[0]), Path.of(args[1]))) {
                System.out.println(data.size() + " " + data.read(0, 3).key());
            }
        }
    }

    @Test
    void aFillThatIsKilledGoesOnAtItsByte() throws Exception {
        Path shard = shards(1).get(0);
        server.allow(5);
        Process victim = Jvm.start(List.of(), Reader.class, server.url("s-00.tar"), cache.toString());
        Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> bytesOf(".part") >= 4 * 4096);
        victim.toHandle().destroyForcibly();
        assertTrue(victim.waitFor(10, TimeUnit.SECONDS));
        assertEquals(137, victim.exitValue(), "it was to die of SIGKILL");
        assertEquals(List.of(), content());
        long had = bytesOf(".part");
        server.forget();
        server.allow(1_000_000);
        try (DataSet data = DataSet.open(List.of(server.url("s-00.tar")), cache)) {
            assertEquals("0003", data.read(0, 3).key());
            assertEquals(List.of("GET s-00.tar bytes=" + had + "-"), openEnded(tars()));
        }
        Path copy = files(cache, ".tar").get(0);
        assertEquals(-1, Files.mismatch(shard, copy));
        assertEquals(0, bytesOf(".part"));
    }

    @Test
    void processesOfOneMachineFetchAShardOnce() throws Exception {
        shards(1);
        List<Process> readers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            readers.add(Jvm.start(List.of(), Reader.class, server.url("s-00.tar"), cache.toString()));
        }
        for (Process reader : readers) {
            assertEquals("40 0003", new String(reader.getInputStream().readAllBytes()).strip());
            assertEquals(0, reader.waitFor());
        }
        assertEquals(1, tars().size(), tars().toString());
    }

    @Test
    void aDiskThatFillsUpMakesRoomOrIsNamed() throws Exception {
        Path disk = Files.createDirectory(folder.resolve("disk"));
        Assumptions.assumeTrue(mount(disk), "a small file system cannot be mounted here (needs root)");
        try {
            List<Path> shards = shards(8);
            long each = Files.size(shards.get(0));
            assertTrue(8 * each + (64 << 20) > Files.getFileStore(disk).getTotalSpace(), "all would fit");
            manifest(shards, SAMPLES);
            CacheConfig small = new CacheConfig(disk.toString(), 0, 0, 1, 10_000);
            try (DataSet data = DataSet.open(List.of(server.url("manifest.json")), DataConfig.in(small))) {
                for (int shard = 0; shard < 8; shard++) {
                    assertEquals(
                            String.format("%04d", shard * SAMPLES),
                            data.read(shard, 0).key());
                }
                Files.write(
                        disk.resolve("other"),
                        new byte[(int) (Files.getFileStore(disk).getUsableSpace())]);
                for (Path file : files(disk, ".tar")) {
                    Files.delete(file);
                }
                Files.write(
                        disk.resolve("more"),
                        new byte[(int) (Files.getFileStore(disk).getUsableSpace())]);
                IOException e = assertThrows(IOException.class, () -> data.read(0, 0));
                assertTrue(e.getMessage().contains("data.cache.directory"), e.getMessage());
            }
        } finally {
            assertEquals(
                    0, new ProcessBuilder("umount", disk.toString()).start().waitFor());
        }
    }

    private static boolean mount(Path at) throws Exception {
        return new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=66048k", "none", at.toString())
                        .start()
                        .waitFor()
                == 0;
    }

    /** Shards s-00.tar, … of 40 samples each with consecutive keys. */
    private List<Path> shards(int count) throws IOException {
        List<Path> shards = new ArrayList<>();
        for (int s = 0; s < count; s++) {
            Path file = origin.resolve(String.format("s-%02d.tar", s));
            shards.add(TestData.tarWithBroken(file, s * SAMPLES, (s + 1) * SAMPLES, Map.of()));
        }
        return shards;
    }

    private void manifest(List<Path> shards, int samples) throws Exception {
        List<Manifest.Shard> entries = new ArrayList<>();
        for (Path shard : shards) {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(shard));
            String name = shard.getFileName().toString();
            entries.add(new Manifest.Shard(
                    name, samples, Files.size(shard), HexFormat.of().formatHex(digest)));
        }
        new Manifest(entries, List.of()).write(origin.resolve("manifest.json"));
    }

    private DataConfig config(long bytes, int threads) {
        return DataConfig.in(new CacheConfig(cache.toString(), bytes, 4, threads, 10_000));
    }

    private List<String> tars() {
        return server.gets().stream()
                .filter(request -> request.contains(".tar"))
                .toList();
    }

    /** An end of the range that is that of the file says the same as none. */
    private static List<String> openEnded(List<String> requests) {
        return requests.stream()
                .map(request -> request.replaceFirst("(bytes=\\d+-)\\d+$", "$1"))
                .toList();
    }

    private List<String> content() throws IOException {
        return files(cache, ".tar").stream()
                .map(file -> file.getFileName().toString().substring(0, 4))
                .toList();
    }

    private long bytesOf(String suffix) throws IOException {
        return !Files.isDirectory(cache)
                ? 0
                : files(cache, suffix).stream()
                        .mapToLong(file -> file.toFile().length())
                        .sum();
    }

    private static List<Path> files(Path directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(suffix))
                    .sorted()
                    .toList();
        }
    }
}
