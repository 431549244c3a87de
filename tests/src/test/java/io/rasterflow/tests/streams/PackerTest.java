package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.streams.pack.PackReport;
import io.rasterflow.streams.pack.Packer;
import io.rasterflow.streams.pack.Verification;
import io.rasterflow.streams.pack.VerificationReport;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.RawSample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackerTest {

    @TempDir
    Path folder;

    @Test
    void packedImagesComeBackAsTheyWere() throws Exception {
        List<Path> idx = TestData.idx(folder, 25, true);
        Path out = folder.resolve("out");
        PackReport report = Packer.packIdx(idx.get(0), idx.get(1), out, "train", 10, 23);
        assertEquals(23, report.samples());
        assertEquals(10, report.classes());
        assertEquals(3, report.shards().size());
        assertEquals("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", Files.readString(out.resolve("classes.txt")));
        try (DataSet data = DataSet.open(List.of(out + "/train-{00..02}.tar.gz"), folder.resolve("cache"));
                ImageDecoder decoder = new ImageDecoder(1)) {
            assertArrayEquals(new int[] {10, 10, 3}, data.sampleCounts());
            for (int i = 0; i < 23; i++) {
                RawSample sample = data.read(i / 10, i % 10);
                Pixels pixels = new Pixels();
                decoder.decode(sample.bytes(), pixels);
                assertArrayEquals(TestData.pixels(i), Arrays.copyOf(pixels.values(), 28 * 28));
                assertEquals(i % 10, sample.label());
                assertEquals(String.format("%08d", i), sample.key());
            }
            VerificationReport verified = Verification.verify(data);
            assertTrue(verified.passed());
            assertEquals(23, verified.samples());
            assertEquals(23L, verified.sizes().get("28x28"));
            assertEquals(2L, verified.labels().get(9));
        }
    }

    @Test
    void sameInputGivesSameBytes() throws IOException {
        List<Path> idx = TestData.idx(folder, 12, false);
        PackReport first = Packer.packIdx(idx.get(0), idx.get(1), folder.resolve("a"), "x", 5, 0);
        PackReport second = Packer.packIdx(idx.get(0), idx.get(1), folder.resolve("b"), "x", 5, 0);
        for (int s = 0; s < 3; s++) {
            assertArrayEquals(
                    Files.readAllBytes(first.shards().get(s)),
                    Files.readAllBytes(second.shards().get(s)));
        }
        byte[] gzip = Files.readAllBytes(first.shards().get(0));
        assertArrayEquals(new byte[4], Arrays.copyOfRange(gzip, 4, 8), "the gzip header carries a time");
    }

    @Test
    void truncatedIdxIsOneLineAndLeavesNothing() throws IOException {
        for (boolean gzip : new boolean[] {false, true}) {
            List<Path> idx = TestData.idx(folder, 12, gzip);
            byte[] bytes = Files.readAllBytes(idx.get(0));
            Files.write(idx.get(0), Arrays.copyOf(bytes, bytes.length - 1000));
            Path out = folder.resolve("cut");
            ShardFormatException e = assertThrows(
                    ShardFormatException.class, () -> Packer.packIdx(idx.get(0), idx.get(1), out, "x", 20, 0));
            assertTrue(e.getMessage().startsWith(idx.get(0) + " at byte "), e.getMessage());
            assertFalse(e.getMessage().contains("\n"));
            if (Files.exists(out)) {
                try (Stream<Path> left = Files.list(out)) {
                    assertEquals(0, left.count());
                }
            }
        }
    }

    @Test
    void swappedAndUnequalFilesAreRefused() throws IOException {
        List<Path> idx = TestData.idx(folder, 12, false);
        ShardFormatException swapped = assertThrows(
                ShardFormatException.class, () -> Packer.packIdx(idx.get(1), idx.get(0), folder, "x", 5, 0));
        assertTrue(swapped.getMessage().contains("magic is 0x00000801 but 0x00000803 is needed"));
        Path fewer = TestData.idx(Files.createDirectory(folder.resolve("fewer")), 11, false)
                .get(1);
        ShardFormatException unequal =
                assertThrows(ShardFormatException.class, () -> Packer.packIdx(idx.get(0), fewer, folder, "x", 5, 0));
        assertTrue(unequal.getMessage().contains("11 labels for 12 images"));
        assertThrows(
                IllegalArgumentException.class,
                () -> Packer.packIdx(idx.get(0), idx.get(1), folder, "x", 5, 0, List.of("only", "two")));
    }

    @Test
    void bundledDataIsWhole() throws IOException {
        String home = System.getProperty("rasterflow.home", "..") + "/streams/data/fashion-mnist/";
        List<String> patterns = List.of(home + "train-{00..09}.tar.gz", home + "validation-{00..02}.tar.gz");
        try (DataSet data = DataSet.open(patterns, folder.resolve("cache"))) {
            VerificationReport report = Verification.inspect(data);
            assertTrue(report.passed());
            assertEquals(25_000, report.samples());
            assertEquals(10, report.labels().size());
            assertEquals(List.of("28x28"), List.copyOf(report.sizes().keySet()));
        }
        assertEquals(10, Files.readAllLines(Path.of(home, "classes.txt")).size());
        assertTrue(Files.readString(Path.of(home, "NOTICE")).contains("Copyright"));
    }
}
