package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.pack.Compression;
import io.rasterflow.streams.pack.PackConfig;
import io.rasterflow.streams.pack.PackReport;
import io.rasterflow.streams.pack.source.FolderSource;
import io.rasterflow.streams.pack.source.PackItem;
import io.rasterflow.streams.pack.source.PackSource;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Paired
class PackResumeTest {

    private static final int IMAGES = 17;

    @TempDir
    Path folder;

    /** A disk that fails at one item, as long as it is there. */
    private static final class Failing implements PackSource {
        private final PackSource source;
        private final long at;
        private final Set<Long> asked = new HashSet<>();

        private Failing(PackSource source, long at) {
            this.source = source;
            this.at = at;
        }

        @Override
        public PackItem item(long index) throws IOException {
            if (index == at) {
                throw new IOException("the disk is gone");
            }
            asked.add(index);
            return source.item(index);
        }

        @Override
        public long size() {
            return source.size();
        }

        @Override
        public boolean randomAccess() {
            return source.randomAccess();
        }

        @Override
        public List<String> classes() {
            return source.classes();
        }

        @Override
        public Map<String, String> identity() {
            return source.identity();
        }

        @Override
        public void close() throws IOException {
            source.close();
        }
    }

    private Path images() throws IOException {
        Path images = PackData.folder(folder, IMAGES);
        Files.write(images.resolve("cat/photo.002.jpg"), new byte[] {1, 2, 3});
        Files.write(images.resolve("dog/photo.007.jpg"), PackData.jpeg(0));
        return images;
    }

    @ParameterizedTest
    @EnumSource(Compression.class)
    void stoppedAnywhereItGoesOnAndEndsWithTheSameBytes(Compression compression) throws Exception {
        Path images = images();
        PackConfig config = PackData.config(4, compression, OptionalLong.of(3), true);
        Path whole = folder.resolve("whole");
        PackReport expected = PackData.pack(FolderSource.open(images), config, whole);
        assertEquals(IMAGES - 2, expected.samples());
        for (int stop = 0; stop < IMAGES; stop++) {
            Path out = folder.resolve("stopped-" + stop);
            int item = stop;
            IOException e = assertThrows(
                    IOException.class, () -> PackData.pack(new Failing(FolderSource.open(images), item), config, out));
            assertEquals("the disk is gone", e.getMessage());
            scribble(out);
            assertSame(expected, PackData.pack(FolderSource.open(images), config, out));
            assertSameFiles(whole, out);
        }
    }

    /** What a killed process leaves: bytes in its files that no checkpoint knows. */
    private static void scribble(Path out) throws IOException {
        try (Stream<Path> files = Files.list(out)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.endsWith(".part") || name.equals("failures.jsonl") || name.equals(".train.hashes")) {
                    Files.writeString(file, "left over", StandardOpenOption.APPEND);
                } else if (name.equals(".train.pack.jsonl")) {
                    Files.writeString(file, "{\"checkpoint\":{\"pass\":0,\"ne", StandardOpenOption.APPEND);
                }
            }
        }
    }

    private static void assertSame(PackReport expected, PackReport actual) {
        assertEquals(expected.samples(), actual.samples());
        assertEquals(expected.bytes(), actual.bytes());
        assertEquals(expected.failed(), actual.failed());
        assertEquals(expected.duplicates(), actual.duplicates());
    }

    private static void assertSameFiles(Path expected, Path actual) throws IOException {
        Map<String, byte[]> files = PackData.visible(expected);
        Map<String, byte[]> others = PackData.visible(actual);
        assertEquals(files.keySet(), others.keySet());
        files.forEach((name, bytes) -> assertArrayEquals(bytes, others.get(name), name));
    }

    @ParameterizedTest
    @EnumSource(Compression.class)
    void aShardThatTheJournalKnowsIsGivenItsNameLater(Compression compression) throws Exception {
        Path images = images();
        PackConfig config = PackData.config(4, compression, OptionalLong.empty(), false);
        Path whole = folder.resolve("whole");
        PackData.pack(FolderSource.open(images), config, whole);
        Path out = folder.resolve("out");
        PackData.pack(FolderSource.open(images), config, out);
        // As if it had been killed right after it wrote the line of the second shard.
        List<String> journal = Files.readAllLines(out.resolve(".train.pack.jsonl"));
        int line = 0;
        while (!journal.get(line).contains("train-00001.tar")) {
            line++;
        }
        Files.write(out.resolve(".train.pack.jsonl"), journal.subList(0, line + 1));
        String name = "train-00001" + compression.extension();
        String temporary = compression == Compression.NONE ? ".part" : ".ready";
        Files.move(out.resolve(name), out.resolve("." + name + temporary));
        for (int later = 2; later < 4; later++) {
            Files.delete(out.resolve("train-0000" + later + compression.extension()));
        }
        Failing source = new Failing(FolderSource.open(images), -1);
        PackData.pack(source, config, out);
        assertSameFiles(whole, out);
        assertTrue(source.asked.stream().noneMatch(item -> item < 8), "finished shards are not made again");

        Failing again = new Failing(FolderSource.open(images), -1);
        PackData.pack(again, config, out);
        assertEquals(Set.of(), again.asked, "nothing is left to do");
    }

    @Test
    void whatWasLostIsToldInOneLine() throws Exception {
        Path images = images();
        PackConfig config = PackData.config(4, Compression.NONE, OptionalLong.empty(), false);
        Path out = folder.resolve("out");
        PackData.pack(FolderSource.open(images), config, out);
        byte[] shard = Files.readAllBytes(out.resolve("train-00001.tar"));
        Files.delete(out.resolve("train-00001.tar"));
        IOException gone = assertThrows(IOException.class, () -> PackData.pack(FolderSource.open(images), config, out));
        assertTrue(gone.getMessage().contains("train-00001.tar is gone although it was packed"), gone.getMessage());
        Files.write(out.resolve("train-00001.tar"), shard);
        Files.write(out.resolve(".train.pack.jsonl"), Arrays.copyOf(new byte[] {'x', '\n'}, 2));
        IOException journal =
                assertThrows(IOException.class, () -> PackData.pack(FolderSource.open(images), config, out));
        assertTrue(journal.getMessage().contains("is no line of a packing's journal"), journal.getMessage());
    }
}
