package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.decode.ImageHeader;
import io.rasterflow.streams.pack.Compression;
import io.rasterflow.streams.pack.PackReport;
import io.rasterflow.streams.pack.Packer;
import io.rasterflow.streams.pack.source.FolderSource;
import io.rasterflow.streams.pack.source.IdxSource;
import io.rasterflow.streams.pack.source.ParquetSource;
import io.rasterflow.streams.pack.source.ShardSource;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.Manifest;
import io.rasterflow.streams.shard.RawSample;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PackSourcesTest {

    private static final OptionalLong IN_ORDER = OptionalLong.empty();

    @TempDir
    Path folder;

    @Test
    void aFolderBecomesShardsWithItsFoldersAsClasses() throws Exception {
        Path images = PackData.folder(folder, 23);
        Files.writeString(images.resolve("cat/notes.txt"), "no image");
        Files.createDirectories(images.resolve(".thumbs"));
        Files.write(images.resolve(".thumbs/x.jpg"), PackData.jpeg(99));
        Path out = folder.resolve("out");
        PackReport report =
                PackData.pack(FolderSource.open(images), PackData.config(10, Compression.NONE, IN_ORDER, false), out);
        assertEquals(23, report.samples());
        assertEquals(2, report.classes());
        assertEquals("cat\ndog\n", Files.readString(out.resolve("classes.txt")));
        Map<String, byte[]> first = PackData.entries(out.resolve("train-00000.tar"));
        assertEquals(
                List.of("00000000-photo_000.cls", "00000000-photo_000.jpg", "00000001-photo_002.cls"),
                List.copyOf(first.keySet()).subList(0, 3));
        assertArrayEquals(PackData.jpeg(0), first.get("00000000-photo_000.jpg"), "bytes are kept as they are");
        Map<String, byte[]> last = PackData.entries(out.resolve("train-00002.tar"));
        assertEquals(2 * 3, last.size());
        assertEquals("1", new String(last.get("00000022-photo_021.cls"), StandardCharsets.US_ASCII));

        Manifest manifest = Manifest.read(out.resolve("manifest.json"));
        assertEquals(List.of("cat", "dog"), manifest.classes());
        assertEquals(
                List.of(10, 10, 3),
                manifest.shards().stream().map(Manifest.Shard::samples).toList());
        assertEquals(
                List.of("classes.txt", "manifest.json", "train-00000.tar", "train-00001.tar", "train-00002.tar"),
                List.copyOf(PackData.visible(out).keySet()));
    }

    @ParameterizedTest
    @EnumSource(Compression.class)
    void shuffledShardsMixTheClassesAndHoldEachImageOnce(Compression compression) throws Exception {
        Path images = PackData.folder(folder, 40);
        Path out = folder.resolve("out");
        PackData.pack(FolderSource.open(images), PackData.config(20, compression, OptionalLong.of(5), false), out);
        Path plain = folder.resolve("plain");
        try (ShardSource shards = ShardSource.open(
                List.of(out + "/train-{00000..00001}" + compression.extension()), folder.resolve("stage"))) {
            PackData.pack(shards, PackData.config(20, Compression.NONE, IN_ORDER, false), plain);
        }
        assertFalse(Files.exists(folder.resolve("stage")), "expanded shards are removed");
        TreeSet<String> keys = new TreeSet<>();
        for (int shard = 0; shard < 2; shard++) {
            Map<String, byte[]> entries = PackData.entries(plain.resolve("train-0000" + shard + ".tar"));
            keys.addAll(entries.keySet());
            List<String> labels = entries.entrySet().stream()
                    .filter(entry -> entry.getKey().endsWith(".cls"))
                    .map(entry -> new String(entry.getValue(), StandardCharsets.US_ASCII))
                    .toList();
            assertEquals(20, labels.size());
            assertTrue(labels.contains("0") && labels.contains("1"), "unshuffled, the first shard is all cats");
        }
        assertEquals(80, keys.size());
        assertEquals("cat\ndog\n", Files.readString(plain.resolve("classes.txt")), "from beside the input");
    }

    @ParameterizedTest
    @ValueSource(strings = {"snappy", "zstd"})
    void parquetOfHuggingFaceBecomesShards(String codec) throws Exception {
        Path file = Path.of("src/test/resources/parquet/huggingface-" + codec + ".parquet");
        Path out = folder.resolve("out");
        PackReport report = PackData.pack(
                ParquetSource.open(List.of(file.toString(), file.toString())),
                PackData.config(1000, Compression.NONE, IN_ORDER, false),
                out);
        long rows;
        try (ParquetSource source = ParquetSource.open(List.of(file.toString()))) {
            rows = source.size();
        }
        assertEquals(2 * rows, report.samples() + report.failed());
        assertTrue(report.samples() > rows, report.toString());
        try (DataSet data = DataSet.open(List.of(out.toString()), folder.resolve("cache"))) {
            assertEquals(report.samples(), data.size());
            RawSample first = data.read(0, 0);
            RawSample again = data.read(0, (int) report.samples() / 2);
            assertArrayEquals(first.bytes(), again.bytes());
            assertEquals(first.label(), again.label());
            assertFalse(first.key().equals(again.key()));
        }
    }

    @Test
    void parquetIsReadInItsOrder() throws Exception {
        Path file = Path.of("src/test/resources/parquet/huggingface-zstd.parquet");
        try (ParquetSource source = ParquetSource.open(List.of(file.toString()))) {
            IllegalArgumentException e = assertThrows(
                    IllegalArgumentException.class,
                    () -> PackData.pack(
                            source,
                            PackData.config(10, Compression.NONE, OptionalLong.of(1), false),
                            folder.resolve("out")));
            assertTrue(e.getMessage().contains("--shards"), e.getMessage());
        }
    }

    @Test
    void repackingKeepsEveryFileOfASampleAndTellsEqualKeysApart() throws Exception {
        Map<String, byte[]> files = new LinkedHashMap<>();
        files.put("a/x.json", TestData.text("{\"score\":0.5}"));
        files.put("a/x.jpg", PackData.jpeg(1));
        files.put("a/x.seg.png", TestData.png(TestData.pixels(1)));
        files.put("a/x.txt", "ein Kätzchen".getBytes(StandardCharsets.UTF_8));
        files.put("y.txt", TestData.text("no image"));
        Path one = TestData.tar(folder.resolve("one.tar"), files);
        Path two = TestData.tar(folder.resolve("two.tar"), Map.of("a/x.jpg", PackData.jpeg(2)));
        Path three = TestData.tar(folder.resolve("three.tar"), Map.of("../../etc/evil.jpg", PackData.jpeg(3)));
        Path out = folder.resolve("out");
        PackReport report = PackData.pack(
                ShardSource.open(List.of(one.toString(), two.toString(), three.toString()), folder.resolve("stage")),
                PackData.config(10, Compression.NONE, IN_ORDER, false),
                out);
        assertEquals(3, report.samples());
        Map<String, byte[]> packed = PackData.entries(out.resolve("train-00000.tar"));
        assertEquals(
                List.of("a/x.jpg", "a/x.json", "a/x.seg.png", "a/x.txt", "a/x-2.jpg", "00000003-evil.jpg"),
                List.copyOf(packed.keySet()));
        for (String name : List.of("a/x.jpg", "a/x.json", "a/x.seg.png", "a/x.txt")) {
            assertArrayEquals(files.get(name), packed.get(name), name);
        }
        assertEquals(1, report.failed());
        String failures = Files.readString(out.resolve("failures.jsonl"));
        assertTrue(failures.contains("the sample has no image but [txt]"), failures);
    }

    @Test
    void brokenAndDoubleImagesAreLeftOutAndCounted() throws Exception {
        Path images = PackData.folder(folder, 12);
        byte[] cut = Arrays.copyOf(PackData.jpeg(3), 500);
        Files.write(images.resolve("cat/photo.000.jpg"), cut);
        Files.write(images.resolve("dog/photo.001.jpg"), PackData.jpeg(8));
        Path out = folder.resolve("out");
        PackReport report =
                PackData.pack(FolderSource.open(images), PackData.config(5, Compression.NONE, IN_ORDER, true), out);
        assertEquals(10, report.samples());
        assertEquals(1, report.failed());
        assertEquals(1, report.duplicates());
        assertEquals(2, report.shards().size(), "two full shards: what is left out leaves no gap");
        List<String> failures = Files.readAllLines(out.resolve("failures.jsonl"));
        assertEquals(1, failures.size());
        assertTrue(
                failures.get(0).contains("cat/photo.000.jpg") && failures.get(0).contains("JPEG is cut short"));
    }

    @Test
    void shardsEndAtTheirByteLimitAndLargeImagesBecomeSmaller() throws Exception {
        Path images = Files.createDirectories(folder.resolve("images"));
        Files.write(images.resolve("large.png"), TestData.encode(PackData.image(1, 300, 200), "png"));
        Files.write(images.resolve("tall.jpg"), TestData.encode(PackData.image(2, 101, 333), "jpg"));
        Files.write(images.resolve("small.png"), TestData.encode(PackData.image(3, 60, 50), "png"));
        Path out = folder.resolve("out");
        PackReport report = PackData.pack(
                FolderSource.open(images), PackData.config(1000, 4096, Compression.NONE, 64, IN_ORDER, false), out);
        assertTrue(report.shards().size() > 1);
        Map<String, byte[]> packed = new LinkedHashMap<>();
        for (Path shard : report.shards()) {
            packed.putAll(PackData.entries(shard));
        }
        assertEquals(
                List.of("00000000-large.jpg", "00000001-small.png", "00000002-tall.jpg"), List.copyOf(packed.keySet()));
        assertEquals(
                new ImageHeader(ImageHeader.Format.JPEG, 96, 64), ImageHeader.read(packed.get("00000000-large.jpg")));
        assertEquals(
                new ImageHeader(ImageHeader.Format.JPEG, 64, 211), ImageHeader.read(packed.get("00000002-tall.jpg")));
        assertArrayEquals(Files.readAllBytes(images.resolve("small.png")), packed.get("00000001-small.png"));
    }

    @Test
    void otherArgumentsOrInputInTheSameFolderAreRefusedInOneLine() throws IOException {
        Path images = PackData.folder(folder, 6);
        Path out = folder.resolve("out");
        PackData.pack(FolderSource.open(images), PackData.config(5, Compression.NONE, IN_ORDER, false), out);
        Map<String, byte[]> before = PackData.visible(out);
        IOException other = assertThrows(
                IOException.class,
                () -> PackData.pack(
                        FolderSource.open(images), PackData.config(6, Compression.NONE, IN_ORDER, false), out));
        assertEquals(
                out + " was packed with --per-shard '5', and now it would be with --per-shard '6'; use another --out,"
                        + " or the same arguments to go on",
                other.getMessage());
        Files.write(images.resolve("dog/new.jpg"), PackData.jpeg(50));
        IOException more = assertThrows(
                IOException.class,
                () -> PackData.pack(
                        FolderSource.open(images), PackData.config(5, Compression.NONE, IN_ORDER, false), out));
        assertTrue(more.getMessage().contains("--folder 'content "), more.getMessage());
        Files.delete(out.resolve(".train.pack.jsonl"));
        IOException foreign = assertThrows(
                IOException.class,
                () -> PackData.pack(
                        FolderSource.open(images), PackData.config(5, Compression.NONE, IN_ORDER, false), out));
        assertTrue(foreign.getMessage().contains("was not packed by this command"), foreign.getMessage());
        assertEquals(
                List.copyOf(before.keySet()), List.copyOf(PackData.visible(out).keySet()));
        for (String name : before.keySet()) {
            assertArrayEquals(before.get(name), PackData.visible(out).get(name), name);
        }
    }

    @Test
    void twoPackingsOfOneFolderAtATimeAreRefused() throws IOException {
        Path images = PackData.folder(folder, 4);
        Path out = folder.resolve("out");
        List<String> refusals = new ArrayList<>();
        try (FolderSource source = FolderSource.open(images);
                FolderSource same = FolderSource.open(images)) {
            Packer.pack(source, PackData.config(2, Compression.NONE, IN_ORDER, false), out, false, (done, total) -> {
                if (refusals.isEmpty()) {
                    refusals.add(assertThrows(
                                    IOException.class,
                                    () -> PackData.pack(
                                            same, PackData.config(2, Compression.NONE, IN_ORDER, false), out))
                            .getMessage());
                }
            });
        }
        assertTrue(refusals.get(0).contains("is being packed by another process"), refusals.toString());
    }

    @Test
    void idxImagesKeepTheBytesThatTheyHadBeforeOtherInputsCame() throws Exception {
        List<Path> idx = TestData.idx(folder, 7, true);
        Path out = folder.resolve("out");
        PackReport report = PackData.pack(
                IdxSource.open(idx.get(0), idx.get(1)), PackData.config(4, Compression.NONE, IN_ORDER, false), out);
        // The hash of the tar inside of what `data pack --images` wrote when it knew nothing but IDX.
        Manifest.Shard first = Manifest.read(report.manifest()).shards().get(0);
        assertEquals("ba235d0978daf8c6dd17ce043020c215808662d42fdbe0d04077d46114173972", first.sha256());
        assertEquals(4 * 4 * 512 + 4 * 512 + 1024, Files.size(report.shards().get(0)));
    }
}
