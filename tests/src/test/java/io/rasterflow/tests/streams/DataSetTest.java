package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.RawSample;
import io.rasterflow.streams.shard.ShardRef;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataSetTest {

    @TempDir
    Path folder;

    private Path cache;

    @BeforeEach
    void cache() {
        cache = folder.resolve("cache");
    }

    @Test
    void patternsNameShardsInOrder() throws IOException {
        Path shards = TestData.packed(folder, 12, 2);
        List<String> range = names(shards + "/s-{00..05}.tar.gz");
        assertEquals(6, range.size());
        assertEquals(range, names(shards.toString()));
        assertEquals(range.subList(3, 4), names(shards + "/s-03.tar.gz"));
        assertEquals(range.subList(1, 3), names(shards + "/s-{01,02}.tar.gz"));
        Path list = Files.writeString(folder.resolve("list.txt"), "# two\nshards/s-{04..05}.tar.gz\n\n");
        assertEquals(range.subList(4, 6), names(list.toString()));
    }

    private List<String> names(String pattern) throws IOException {
        try (DataSet data = DataSet.open(List.of(pattern), cache)) {
            return data.shards().stream().map(ShardRef::name).toList();
        }
    }

    @Test
    void missingDataIsOneLine() throws IOException {
        Path shards = TestData.packed(folder, 4, 2);
        FileNotFoundException missing =
                assertThrows(FileNotFoundException.class, () -> names(shards + "/s-{00..05}.tar.gz"));
        assertTrue(missing.getMessage().contains("s-02.tar.gz"), missing.getMessage());
        assertTrue(missing.getMessage().contains("4 of 6"), missing.getMessage());
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertThrows(FileNotFoundException.class, () -> names(empty.toString()));
        assertThrows(IllegalArgumentException.class, () -> names(shards + "/s-{05..00}.tar.gz"));
        assertThrows(IllegalArgumentException.class, () -> names(shards + "/s-{a..b}.tar.gz"));
        assertThrows(IllegalArgumentException.class, () -> names(shards + "/s-{00..05.tar.gz"));
        assertThrows(IllegalArgumentException.class, () -> names("ftp://example.org/s.tar"));
        assertThrows(IllegalArgumentException.class, () -> DataSet.open(List.of(), cache));
    }

    @Test
    void shardsWithoutImagesAreRefused() throws IOException {
        Path tar = TestData.tar(folder.resolve("t.tar"), Map.of("a.txt", TestData.text("hello")));
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> DataSet.open(List.of(tar.toString()), cache));
        assertTrue(e.getMessage().startsWith("no images in "), e.getMessage());
    }

    @Test
    void longNamesFoldersAndSamplesWithoutLabelAreRead() throws IOException {
        String longKey = "folder/" + "n".repeat(150) + "é";
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put(longKey + ".png", TestData.png(TestData.pixels(1)));
        entries.put(longKey + ".cls", TestData.text("7\n"));
        entries.put("folder/b.JPG", new byte[] {1, 2, 3});
        entries.put("README", new byte[600]);
        entries.put("folder/c.caption.txt", TestData.text("no image"));
        entries.put("folder/d.json", TestData.text("{}"));
        entries.put("folder/d.png", new byte[0]);
        Path tar = TestData.tar(folder.resolve("t.tar"), entries);
        try (DataSet data = DataSet.open(List.of(tar.toString()), cache)) {
            assertEquals(3, data.size());
            RawSample first = data.read(0, 0);
            assertEquals(longKey, first.key());
            assertEquals(7, first.label());
            assertArrayEquals(TestData.png(TestData.pixels(1)), first.bytes());
            assertEquals(-1, data.read(0, 1).label());
            assertArrayEquals(new byte[] {1, 2, 3}, data.read(0, 1).bytes());
            assertEquals(0, data.read(0, 2).bytes().length);
            assertThrows(IndexOutOfBoundsException.class, () -> data.read(0, 3));
        }
    }

    @Test
    void aTarCutAnywhereIsNamedWithItsOffset() throws IOException {
        Path whole = TestData.tarWithBroken(folder.resolve("whole.tar"), 0, 3, Map.of());
        byte[] bytes = Files.readAllBytes(whole);
        int used = 3 * (512 + 512 + 512 + 1024);
        for (int cut = 1; cut < used + 512; cut += 61) {
            Path tar = Files.write(folder.resolve("cut-" + cut + ".tar"), Arrays.copyOf(bytes, cut));
            ShardFormatException e = assertThrows(
                    ShardFormatException.class, () -> DataSet.open(List.of(tar.toString()), cache), "cut at " + cut);
            assertTrue(e.getMessage().startsWith(tar + " at byte "), e.getMessage());
            assertTrue(e.offset() <= cut, e.getMessage());
            assertFalse(e.getMessage().contains("\n"));
        }
    }

    @Test
    void aCutOrForeignCompressedShardIsNamed() throws IOException {
        Path shard = TestData.packed(folder, 4, 4).resolve("s-00.tar.gz");
        byte[] bytes = Files.readAllBytes(shard);
        Files.write(shard, Arrays.copyOf(bytes, bytes.length / 2));
        ShardFormatException cut =
                assertThrows(ShardFormatException.class, () -> DataSet.open(List.of(shard.toString()), cache));
        assertTrue(cut.getMessage().startsWith(shard + " at byte "), cut.getMessage());
        try (Stream<Path> left = Files.list(cache)) {
            assertEquals(
                    0,
                    left.filter(file -> !file.toString().endsWith(".lock")).count(),
                    "a broken expansion stayed in the cache");
        }
        Files.write(shard, new byte[] {0x28, (byte) 0xB5, 0x2F, (byte) 0xFD, 0, 0});
        assertThrows(ShardFormatException.class, () -> DataSet.open(List.of(shard.toString()), cache));
        Files.write(shard, new byte[0]);
        assertThrows(ShardFormatException.class, () -> DataSet.open(List.of(shard.toString()), cache));
    }

    @Test
    void aLabelThatIsNoNumberIsNamed() throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("a.png", new byte[10]);
        entries.put("a.cls", TestData.text("cat\n"));
        Path tar = TestData.tar(folder.resolve("t.tar"), entries);
        ShardFormatException e =
                assertThrows(ShardFormatException.class, () -> DataSet.open(List.of(tar.toString()), cache));
        assertTrue(e.getMessage().contains("a.cls holds 'cat', which is no class number"), e.getMessage());
    }

    @Test
    void theCacheIsUsedRepairedAndRefreshed() throws IOException {
        Path shard = TestData.packed(folder, 6, 6).resolve("s-00.tar.gz");
        List<String> patterns = List.of(shard.toString());
        DataSet.open(patterns, cache).close();
        Path tar = onlyFile(".tar");
        Path index = onlyFile(".idx");
        FileTime made = FileTime.fromMillis(1_000_000_000_000L);
        Files.setLastModifiedTime(tar, made);
        DataSet.open(patterns, cache).close();
        assertEquals(made, Files.getLastModifiedTime(tar), "expanded again though cached");

        byte[] damaged = Files.readAllBytes(index);
        damaged[30] ^= 1;
        Files.write(index, damaged);
        Files.write(tar, new byte[100]);
        try (DataSet data = DataSet.open(patterns, cache)) {
            assertEquals(6, data.size());
            assertEquals("00000005", data.read(0, 5).key());
        }

        Path other = TestData.packed(Files.createDirectory(folder.resolve("other")), 3, 6);
        Files.move(other.resolve("s-00.tar.gz"), shard, StandardCopyOption.REPLACE_EXISTING);
        Files.setLastModifiedTime(shard, made);
        try (DataSet data = DataSet.open(patterns, cache)) {
            assertEquals(3, data.size());
        }
    }

    @Test
    void manyMayFillOneCacheAtOnce() throws Exception {
        Path shards = TestData.packed(folder, 40, 10);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<Long>> sizes = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                sizes.add(threads.submit(() -> {
                    try (DataSet data = DataSet.open(List.of(shards.toString()), cache)) {
                        return data.read(3, 9).label() == 9 ? data.size() : -1;
                    }
                }));
            }
            for (Future<Long> size : sizes) {
                assertEquals(40, size.get());
            }
        } finally {
            threads.shutdownNow();
        }
        try (Stream<Path> files = Files.list(cache)) {
            assertEquals(
                    8,
                    files.filter(file -> !file.toString().endsWith(".lock")).count(),
                    "temporary files stayed behind");
        }
    }

    @Test
    void aClosedDataSetSaysSo() throws IOException {
        DataSet data = DataSet.open(List.of(TestData.packed(folder, 2, 2).toString()), cache);
        data.close();
        assertThrows(IllegalStateException.class, () -> data.read(0, 0));
    }

    private Path onlyFile(String suffix) throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            List<Path> found =
                    files.filter(file -> file.toString().endsWith(suffix)).toList();
            assertEquals(1, found.size());
            return found.get(0);
        }
    }
}
