package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.curate.CurationConfig;
import io.rasterflow.streams.curate.Scan;
import io.rasterflow.streams.curate.ShardScanner;
import io.rasterflow.streams.format.LabelRule;
import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.format.ShardFormat;
import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.tests.streams.Found.RawTar;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Samples, keys and labels of tars: those of other programs, unusual ones, hostile ones and cut ones. */
class TarSamplesTest {

    private static final byte[] PNG = {1, 2, 3};

    @TempDir
    Path folder;

    private final ShardScanner scanner = ShardScanner.ofEverything();

    @ParameterizedTest
    @ValueSource(strings = {"gnu", "posix", "ustar", "v7", "python"})
    void tarsOfOtherProgramsAreRead(String name) throws IOException {
        Path tar = expanded(Found.fixture(name + ".tar.gz"));
        Scan scan = scanner.scan(tar, name);
        String longKey = name.equals("ustar") ? "d".repeat(90) + "/é" : "a/" + "n".repeat(150) + "é";
        List<String> expected = name.equals("v7") ? List.of("a/one", "b/two") : List.of("a/one", longKey, "b/two");
        assertEquals(expected, Found.keys(scan));
        assertEquals(name.equals("v7") ? List.of(1, 3) : List.of(1, 2, 3), Found.labels(scan));
        for (SampleEntry entry : scan.samples()) {
            byte[] image = Found.image(tar, entry);
            assertEquals('P', image[1]);
            assertEquals(0x82, image[image.length - 1] & 0xFF, "not the end of a PNG");
        }
        assertEquals(Map.of(), scan.leftOut());
    }

    @ParameterizedTest
    @ValueSource(strings = {"sparse-gnu", "sparse-posix"})
    void sparseFilesAreRefused(String name) throws IOException {
        Path tar = expanded(Found.fixture(name + ".tar.gz"));
        ShardFormatException e = assertThrows(ShardFormatException.class, () -> scanner.scan(tar, "s.tar"));
        assertTrue(e.getMessage().contains("sparse.png is stored as a sparse file; make"), e.getMessage());
        Scan rest = scanner.salvage(tar, "s.tar", Optional.empty());
        assertEquals(List.of("b/two"), Found.keys(rest));
        assertEquals(Map.of("sparse file", 1), rest.leftOut());
    }

    @Test
    void samplesAreConsecutiveFilesOfOneKey() throws IOException {
        RawTar tar = new RawTar()
                .file("a.seg.png", PNG)
                .file("a.JPG", new byte[] {4})
                .file("a.cls", TestData.text("5"))
                .file("b.cls", TestData.text("6"))
                .file("b.WebP", PNG)
                .file("dir.with.dots/c.gif", PNG)
                .file("./d.jpeg", PNG)
                .file("e.ppm", PNG)
                .file(".hidden.png", PNG)
                .file("noextension", PNG)
                .file("f.png", PNG)
                .file("f.jpg", new byte[] {9})
                .file("a.png", PNG)
                .file("g.seg.png", PNG)
                .entry("h.png", '1', RawTar.octal(3), new byte[0])
                .entry("i.png", '2', RawTar.octal(0), new byte[0])
                .entry("j.png/", '0', RawTar.octal(0), new byte[0])
                .entry("k.png", '7', RawTar.octal(3), PNG);
        Path file = tar.write(folder.resolve("t.tar"));
        Scan scan = scanner.scan(file, "t");
        assertEquals(List.of("a", "b", "dir.with.dots/c", "d", "f", "a", "k"), Found.keys(scan));
        assertEquals(List.of(5, 6, -1, -1, -1, -1, -1), Found.labels(scan));
        assertArrayEquals(new byte[] {4}, Found.image(file, scan.samples().get(0)));
        assertArrayEquals(PNG, Found.image(file, scan.samples().get(4)), "the first image of a key counts");
        assertEquals(Map.of("no image", 2), scan.leftOut());
    }

    @Test
    void pathsThatLeaveTheShardBecomeHarmlessKeys() throws IOException {
        Path tar = new RawTar()
                .file("../../etc/passwd.png", PNG)
                .file("/absolute/x.png", PNG)
                .file("a/../../b.png", PNG)
                .file("a//./c.png", PNG)
                .file("C:\\windows\\d.png", PNG)
                .file("line\nbreak\u001b[31m.png", PNG)
                .pax("path=../../../pax.png")
                .file("innocent.png", PNG)
                .write(folder.resolve("t.tar"));
        assertEquals(
                List.of(
                        "__/__/etc/passwd",
                        "absolute/x",
                        "a/__/__/b",
                        "a/c",
                        "C:_windows_d",
                        "line?break?[31m",
                        "__/__/__/pax"),
                Found.keys(scanner.scan(tar, "t")));
    }

    @Test
    void labelsComeFromClsThenJsonThenBareText() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        String[][] samples = {
            {"a", "cls", "1", "json", "{\"label\": 2}", "txt", "3"},
            {"b", "json", "{\"label\": 2, \"cls\": 9}", "txt", "3"},
            {"c", "txt", " 3\n"},
            {"d", "txt", "3 cats"},
            {"e", "json", "{\"caption\": \"x\"}", "txt", "3"},
            {"f", "json", "{\"class_id\": \"7\", \"fine\": 70}"},
            {"g", "json", "{\"label\": \"cat\", \"class\": 1.5}"},
            {"h", "json", "{\"label\": -1}"},
            {"i", "json", "{\"nested\": {\"fine\": 8}, \"list\": [1, {\"label\": 3}], \"cls\": 4.0}"},
            {"j", "json", "[1, 2"},
            {"k", "json", "{\"label\": 2"},
            {"l", "cls", "11", "json", "{\"fine\": 12}"},
        };
        for (String[] sample : samples) {
            files.put(sample[0] + ".png", PNG);
            for (int i = 1; i < sample.length; i += 2) {
                files.put(sample[0] + "." + sample[i], TestData.text(sample[i + 1]));
            }
        }
        Path tar = TestData.tar(folder.resolve("t.tar"), files);
        assertEquals(List.of(1, 2, 3, -1, -1, 7, -1, -1, 4, -1, -1, 11), Found.labels(scanner.scan(tar, "t")));
        assertEquals(
                List.of(1, -1, 3, -1, -1, 70, -1, -1, -1, -1, -1, 12),
                Found.labels(by("fine").scan(tar, "t")));
        assertEquals(8, Found.labels(by("nested.fine").scan(tar, "t")).get(8));
        assertThrows(IllegalArgumentException.class, () -> new LabelRule(" "));
    }

    private static ShardScanner by(String labelField) {
        return new ShardScanner(CurationConfig.NONE, new LabelRule(labelField));
    }

    @Test
    void absurdHeadersAreNamed() throws IOException {
        byte[] huge = {(byte) 0x80, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}; // 2^56
        byte[] overflow = {(byte) 0xBF, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
        Map<RawTar, String> tars = new LinkedHashMap<>();
        tars.put(new RawTar().entry("a.png", '0', huge, PNG), "the tar ends inside a.png (");
        tars.put(new RawTar().entry("a.png", '0', overflow, PNG), "a.png has a size that is no number");
        tars.put(new RawTar().entry("a.png", '0', TestData.text("12x"), PNG), "a.png has a size that is no number");
        tars.put(new RawTar().entry("a", 'L', huge, PNG), "a name of 72057594037927936 bytes is absurd");
        tars.put(new RawTar().entry("a", 'x', huge, PNG), "a pax header of ");
        tars.put(new RawTar().entry("a", 'x', RawTar.octal(3), PNG), "a pax header that cannot be read");
        tars.put(new RawTar().pax("size=-5").file("a.png", PNG), "a.png has a size");
        tars.put(new RawTar().pax("size=x").file("a.png", PNG), "a pax header with the size 'x'");
        tars.put(new RawTar().pax("path=" + "p".repeat(5000)).file("a.png", PNG), "a name of 5000 characters");
        for (Map.Entry<RawTar, String> tar : tars.entrySet()) {
            Path file = tar.getKey().write(folder.resolve("t.tar"));
            ShardFormatException e = assertThrows(ShardFormatException.class, () -> scanner.scan(file, "t.tar"));
            assertTrue(e.getMessage().contains(tar.getValue()), e.getMessage());
            assertTrue(e.getMessage().startsWith("t.tar at byte "), e.getMessage());
            Scan scan = scanner.salvage(file, "t.tar", Optional.empty());
            assertEquals(
                    e.getMessage(),
                    scan.damage().orElseThrow().exception("t.tar").getMessage());
        }
    }

    @Test
    void aTarCutAnywhereGivesTheWholeSamplesBeforeTheCut() throws IOException {
        RawTar raw = new RawTar();
        for (int i = 0; i < 4; i++) {
            raw.file(i + ".png", new byte[700 + i]).file(i + ".cls", TestData.text(Integer.toString(i)));
        }
        byte[] bytes = raw.bytes();
        int sample = 512 + 1024 + 512 + 512;
        for (int cut = 0; cut < bytes.length - 1024; cut += 37) {
            Path tar = Files.write(folder.resolve("cut.tar"), Arrays.copyOf(bytes, cut));
            Scan scan = scanner.salvage(tar, "cut.tar", Optional.empty());
            // The sample before the cut is known to be whole once the header of another key follows.
            int whole = Math.max(0, cut - 512) / sample;
            assertEquals(whole, scan.samples().size(), "cut at " + cut);
            assertEquals(List.of(0, 1, 2, 3).subList(0, whole), Found.labels(scan));
            assertEquals(cut, scan.damage().orElseThrow().offset());
            assertTrue(count(scan) <= 1, scan.leftOut().toString());
        }
        Scan whole = scanner.salvage(raw.write(folder.resolve("whole.tar")), "whole.tar", Optional.empty());
        assertEquals(4, whole.samples().size());
        assertEquals(Optional.empty(), whole.damage());
    }

    private static int count(Scan scan) {
        return scan.leftOut().values().stream().mapToInt(Integer::intValue).sum();
    }

    @Test
    void brokenSamplesDoNotCostTheOthers() throws IOException {
        Path tar = new RawTar()
                .file("a.png", PNG)
                .file("a.cls", TestData.text("cat"))
                .file("b.png", PNG)
                .file("b.cls", TestData.text("2"))
                .write(folder.resolve("t.tar"));
        assertThrows(ShardFormatException.class, () -> scanner.scan(tar, "t"));
        Scan scan = scanner.salvage(tar, "t", Optional.empty());
        assertEquals(List.of("b"), Found.keys(scan));
        assertEquals(Map.of("bad label", 1), scan.leftOut());
    }

    @Test
    void mutatedTarsNeverDoMoreThanEndEarly() throws IOException {
        byte[] gnu = Files.readAllBytes(expanded(Found.fixture("gnu.tar.gz")));
        byte[] posix = Files.readAllBytes(expanded(Found.fixture("posix.tar.gz")));
        Random random = new Random(1);
        int damaged = 0;
        for (int i = 0; i < 1_200; i++) {
            byte[] bytes = (i % 2 == 0 ? gnu : posix).clone();
            for (int flips = random.nextInt(4); flips >= 0; flips--) {
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            }
            Path tar = Files.write(folder.resolve("m.tar"), bytes);
            Scan scan = scanner.salvage(tar, "m.tar", Optional.empty());
            for (SampleEntry entry : scan.samples()) {
                assertTrue(entry.offset() >= 512 && entry.offset() + entry.length() <= bytes.length);
                assertFalse(entry.key().startsWith("/"));
            }
            damaged += scan.damage().isPresent() ? 1 : 0;
        }
        assertTrue(damaged > 200, damaged + " were damaged");
    }

    private Path expanded(Path shard) throws IOException {
        Path tar = folder.resolve(shard.getFileName() + ".tar");
        try (OutputStream out = Files.newOutputStream(tar)) {
            ShardFormat.detect(shard, shard.toString()).expand(shard, shard.toString(), out);
        }
        return tar;
    }
}
