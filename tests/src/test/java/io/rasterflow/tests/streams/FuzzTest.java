package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged files of every format, some 11,000 of them, between sound ones, and some hundred damaged shards: nothing is lost but
 * what is damaged. Takes about 20 seconds on two idle cores.
 *
 * <p>The damaged files are read in a process of their own: one that crashes is then a failed test, and what libjpeg and libpng
 * have to say about them does not fill the log.
 */
@Paired
class FuzzTest {

    private static final long SEED = 20_260_401;
    private static final int SAMPLES = 16_000;
    private static final int SHARDS = 16;
    private static final int DAMAGED_SHARDS = 400;
    private static final Duration DEADLINE = Duration.ofMinutes(4);

    @TempDir
    Path folder;

    private final List<byte[]> files =
            DecodeFixtures.all().stream().map(DecodeFixtures.Fixture::file).toList();
    private final Mutator mutator = new Mutator(SEED, files);

    /** Seven of ten are damaged. */
    private static boolean damaged(int sample) {
        return sample % 10 < 7;
    }

    @Test
    @Timeout(300)
    void nothingIsLostButTheBadSamples() throws Exception {
        long damaged = 0;
        for (int s = 0; s < SHARDS; s++) {
            Map<String, byte[]> fuzzed = new LinkedHashMap<>();
            Map<String, byte[]> twin = new LinkedHashMap<>();
            for (int i = s * SAMPLES / SHARDS; i < (s + 1) * SAMPLES / SHARDS; i++) {
                String key = String.format("%06d", i);
                byte[] sound = files.get((i / 10 + i) % files.size());
                damaged += damaged(i) ? 1 : 0;
                fuzzed.put(key + ".jpg", damaged(i) ? mutator.damaged(i) : sound);
                fuzzed.put(key + ".cls", TestData.text(Integer.toString(i)));
                twin.put(key + ".jpg", damaged(i) ? new byte[0] : sound);
                twin.put(key + ".cls", TestData.text(Integer.toString(i)));
            }
            write("fuzzed", s, fuzzed);
            write("twin", s, twin);
        }
        assertTrue(damaged >= 10_000);
        readInAnotherProcess("fuzzed", "twin");
        for (String order : List.of("evaluation", "training")) {
            FuzzReader.Seen fuzzed = FuzzReader.Seen.read(folder.resolve("fuzzed-" + order + ".txt"));
            FuzzReader.Seen alone = FuzzReader.Seen.read(folder.resolve("twin-" + order + ".txt"));
            List<Long> positions = LongStream.range(0, SAMPLES / FuzzReader.BATCH * FuzzReader.BATCH)
                    .boxed()
                    .toList();
            assertEquals(positions, List.copyOf(fuzzed.images().keySet()), order);
            assertEquals(damaged, alone.bad().size(), order);
            assertTrue(alone.bad().keySet().containsAll(fuzzed.bad().keySet()), order);
            assertTrue(
                    fuzzed.bad().size() > damaged / 2,
                    order + " has only " + fuzzed.bad().size() + " bad samples");
            assertTrue(fuzzed.bad().size() < damaged, order + " has no damaged sample that is still an image");
            for (long position : positions) {
                if (!alone.bad().containsKey(position)) {
                    assertEquals(alone.images().get(position), fuzzed.images().get(position), order);
                }
            }
        }
    }

    /** Some shards are compressed. */
    private void write(String name, int number, Map<String, byte[]> samples) throws IOException {
        Path shards = Files.createDirectories(folder.resolve(name));
        Path tar = TestData.tar(shards.resolve(String.format("s-%02d.tar", number)), samples);
        if (number % 4 == 3) {
            compress(tar, Path.of(tar + ".gz"));
            Files.delete(tar);
        }
    }

    private static void compress(Path from, Path to) throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(to))) {
            Files.copy(from, out);
        }
    }

    private void readInAnotherProcess(String... names) throws Exception {
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--add-") || flag.startsWith("-XX:+Ignore") || flag.startsWith("-Xmx"))
                .forEach(command::add);
        command.addAll(List.of(
                "-XX:ErrorFile=" + folder.resolve("crash.log"),
                "-cp",
                System.getProperty("java.class.path"),
                FuzzReader.class.getName(),
                folder.toString()));
        command.addAll(List.of(names));
        Path log = folder.resolve("stderr.txt");
        Process reader = new ProcessBuilder(command)
                .redirectError(log.toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertTrue(reader.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS), "it hangs");
        } finally {
            reader.destroyForcibly();
        }
        assertEquals(0, reader.exitValue(), () -> "it ended with " + tail(log));
    }

    private static String tail(Path log) {
        try {
            List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 40), lines.size()));
        } catch (IOException e) {
            return e.toString();
        }
    }

    @Test
    @Timeout(120)
    void aDamagedShardOpensOrIsRefusedWithOneLine() throws Exception {
        Map<String, byte[]> samples = new LinkedHashMap<>();
        for (int i = 0; i < 12; i++) {
            String name = (i % 3 == 0 ? "a-folder-with-a-long-name/".repeat(6) : "") + i;
            samples.put(name + ".jpg", files.get(i * 7));
            samples.put(name + ".cls", TestData.text("3"));
        }
        Path sound = TestData.tar(folder.resolve("sound.tar"), samples);
        Path compressed = folder.resolve("sound.tar.gz");
        compress(sound, compressed);
        Mutator shards = new Mutator(SEED, List.of(Files.readAllBytes(sound), Files.readAllBytes(compressed)));
        int opened = 0;
        for (int i = 0; i < DAMAGED_SHARDS; i++) {
            Path shard = folder.resolve(i % 2 == 0 ? "damaged-" + i + ".tar" : "damaged-" + i + ".tar.gz");
            Files.write(shard, shards.damaged(i));
            List<String> both = List.of(shard.toString(), sound.toString());
            try (DataSet data = DataSet.open(both, folder.resolve("cache"))) {
                int[] counts = data.sampleCounts();
                for (int sample = 0; sample < counts[0]; sample++) {
                    assertEquals(
                            data.entry(0, sample).length(), data.read(0, sample).bytes().length);
                }
                opened += counts[0] > 0 ? 1 : 0;
            } catch (IOException e) {
                assertFalse(e.getMessage().contains("\n"), e.getMessage());
                assertTrue(e.getMessage().contains(shard.toString()), e.getMessage());
            }
        }
        assertTrue(opened > 0 && opened < DAMAGED_SHARDS, opened + " opened");
    }
}
