package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.curate.Candidate;
import io.rasterflow.streams.curate.CurationConfig;
import io.rasterflow.streams.curate.CurationConfig.NearDuplicates;
import io.rasterflow.streams.curate.SampleFilter;
import io.rasterflow.streams.curate.Scan;
import io.rasterflow.streams.curate.ShardScanner;
import io.rasterflow.streams.format.LabelRule;
import io.rasterflow.streams.format.ShardFormat;
import io.rasterflow.streams.shard.CacheConfig;
import io.rasterflow.streams.shard.Damaged;
import io.rasterflow.streams.shard.DataConfig;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.LeftOut;
import io.rasterflow.streams.storage.StorageConfig;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.awt.image.RescaleOp;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is left out, and why. */
class CurationTest {

    private static final NearDuplicates OFF = new NearDuplicates(0, 0);

    @TempDir
    Path folder;

    @Test
    void smallLongAndThinImagesAreCounted() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        int[][] sizes = {{64, 64}, {63, 100}, {64, 192}, {193, 64}, {200, 100}};
        for (int i = 0; i < sizes.length; i++) {
            files.put(i + ".png", TestData.encode(new BufferedImage(sizes[i][0], sizes[i][1], 1), "png"));
        }
        files.put("tiny.png", new byte[10]);
        files.put("broken.png", new byte[50]);
        files.put("caption.txt", TestData.text("no image"));
        CurationConfig config = new CurationConfig(64, 3, 11, 0, List.of(), List.of(), OFF);
        Scan scan = scanner(config).scan(TestData.tar(folder.resolve("t.tar"), files), "t");
        assertEquals(List.of("0", "2", "4", "broken"), Found.keys(scan), "unreadable headers are found where used");
        assertEquals(Map.of("small", 1, "aspect", 1, "bytes", 1, "no image", 1), scan.leftOut());
    }

    @Test
    void fieldsAndCaptionsDecide() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        String[][] samples = {
            {"kept", "{\"aesthetic_score\": 5, \"meta\": {\"nsfw\": 0.1}, \"caption\": \"two words\"}", ""},
            {"text", "{\"aesthetic_score\": \"7.5\", \"meta\": {\"nsfw\": 0}}", "a caption file"},
            {"low", "{\"aesthetic_score\": 4.99, \"meta\": {\"nsfw\": 0}, \"caption\": \"a b c\"}", ""},
            {"nan", "{\"aesthetic_score\": NaN, \"meta\": {\"nsfw\": 0}, \"caption\": \"a b c\"}", ""},
            {"missing", "{\"meta\": {\"nsfw\": 0}, \"caption\": \"a b c\"}", ""},
            {"nsfw", "{\"aesthetic_score\": 9, \"meta\": {\"nsfw\": 0.5}, \"caption\": \"a b c\"}", ""},
            {"short", "{\"aesthetic_score\": 9, \"meta\": {\"nsfw\": 0}, \"caption\": \" one\\n\"}", ""},
            {"none", "{\"aesthetic_score\": 9, \"meta\": {\"nsfw\": 0}}", ""},
            {"nojson", "not json", "many words in here"},
        };
        for (String[] sample : samples) {
            files.put(sample[0] + ".png", new byte[3]);
            files.put(sample[0] + ".json", TestData.text(sample[1]));
            if (!sample[2].isEmpty()) {
                files.put(sample[0] + ".txt", TestData.text(sample[2]));
            }
        }
        CurationConfig config =
                new CurationConfig(0, 0, 0, 2, List.of("aesthetic_score >= 5", "meta.nsfw < 0.5"), List.of(), OFF);
        Scan scan = scanner(config).scan(TestData.tar(folder.resolve("t.tar"), files), "t");
        assertEquals(List.of("kept", "text"), Found.keys(scan));
        assertEquals(
                Map.of("field aesthetic_score", 1, "no field aesthetic_score", 3, "field meta.nsfw", 1, "caption", 2),
                scan.leftOut());
    }

    @Test
    void columnsOfParquetAreFields() throws IOException {
        Path shard = Found.fixture("fields-zstd.parquet");
        Path tar = folder.resolve("t.tar");
        try (OutputStream out = Files.newOutputStream(tar)) {
            ShardFormat.PARQUET.expand(shard, "p", out);
        }
        CurationConfig config = new CurationConfig(
                0, 0, 0, 2, List.of("aesthetic_score > 5", "similarity >= 0.3", "meta.width <= 6"), List.of(), OFF);
        Scan scan = scanner(config).scan(tar, "p");
        assertEquals(List.of("00000000", "00000004", "00000005"), Found.keys(scan));
        assertEquals(List.of(0, 4, -1), Found.labels(scan));
        assertEquals(Map.of("field aesthetic_score", 2, "no field aesthetic_score", 2), scan.leftOut());
    }

    @Test
    void nearDuplicatesAreFoundAndDifferentPicturesKept() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        for (int i = 0; i < 12; i++) {
            BufferedImage picture = picture(i);
            files.put("original" + i + ".jpg", TestData.encode(picture, "jpg"));
            files.put("png" + i + ".png", TestData.encode(picture, "png"));
            files.put("half" + i + ".jpg", TestData.encode(scaled(picture, 0.5, 0), "jpg"));
            files.put(
                    "bright" + i + ".jpg", TestData.encode(new RescaleOp(1.1f, 10, null).filter(picture, null), "jpg"));
            files.put("cropped" + i + ".jpg", TestData.encode(scaled(picture, 1, 0.015), "jpg"));
        }
        Path tar = TestData.tar(folder.resolve("t.tar"), files);
        Scan scan = scanner(duplicates(1000, 8)).scan(tar, "t");
        List<String> kept = Found.keys(scan);
        for (int i = 0; i < 12; i++) {
            assertTrue(kept.contains("original" + i), "the first one stays: " + kept);
        }
        assertTrue(kept.size() <= 14, "copies were not found: " + kept);
        assertEquals(60 - kept.size(), scan.leftOut().get("duplicate"));
        assertEquals(60 - kept.size(), scan.duplicates().size());
        scan.duplicates().forEach(pair -> {
            assertEquals(pair.leftOut().replaceAll("\\D", ""), pair.kept().replaceAll("\\D", ""), pair.toString());
            assertTrue(kept.contains(pair.kept()) && !kept.contains(pair.leftOut()), pair.toString());
            assertTrue(pair.bits() <= 8, pair.toString());
        });
        assertEquals(60, scanner(CurationConfig.NONE).scan(tar, "t").samples().size());
        theIndexRemembersWhatIsAlike(tar, scan);
    }

    private void theIndexRemembersWhatIsAlike(Path tar, Scan scan) throws IOException {
        CurationConfig curate = duplicates(1000, 8);
        DataConfig config = new DataConfig(
                CacheConfig.in(folder.resolve("cache")),
                StorageConfig.defaults(),
                curate,
                LabelRule.DEFAULT,
                Damaged.REFUSE);
        for (int again = 0; again < 2; again++) { // made, then read
            try (DataSet data = DataSet.open(List.of(tar.toString()), config)) {
                LeftOut leftOut = data.leftOut().get(0);
                assertEquals(scan.samples().size(), leftOut.source().samples());
                assertEquals(Map.of("duplicate", (long) scan.duplicates().size()), leftOut.causes());
                assertEquals(Map.of(tar.toString(), scan.duplicates().size()), leftOut.duplicates());
                assertEquals(
                        scan.duplicates(),
                        leftOut.pairs().stream().map(LeftOut.Pair::images).toList());
            }
        }
        try (DataSet all = DataSet.open(List.of(tar.toString()), folder.resolve("cache"))) {
            assertEquals(List.of(), all.leftOut());
        }
    }

    @Test
    void duplicatesAreSoughtInTheWindowOnly() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        int[] pictures = {1, 2, 3, 1, 3};
        for (int i = 0; i < pictures.length; i++) {
            files.put(i + ".png", TestData.encode(picture(pictures[i]), "png"));
        }
        files.put("broken.png", new byte[9]);
        Path tar = TestData.tar(folder.resolve("t.tar"), files);
        assertEquals(
                List.of("0", "1", "2", "3", "broken"),
                Found.keys(scanner(duplicates(2, 0)).scan(tar, "t")));
        assertEquals(
                List.of("0", "1", "2", "broken"),
                Found.keys(scanner(duplicates(3, 0)).scan(tar, "t")));
    }

    @Test
    void filtersOfUsersAreFoundByName() throws IOException {
        Path tar = TestData.tarWithBroken(folder.resolve("t.tar"), 0, 5, Map.of());
        ShardScanner scanner = scanner(own("every-other"));
        for (int again = 0; again < 2; again++) { // a filter that counts starts anew with each shard
            Scan scan = scanner.scan(tar, "t");
            assertEquals(List.of("0000", "0002", "0004"), Found.keys(scan));
            assertEquals(Map.of("odd", 2), scan.leftOut());
        }
        IOException failed =
                assertThrows(IOException.class, () -> scanner(own("failing")).scan(tar, "t"));
        assertEquals(
                "the filter failing failed on 0000 of t: java.lang.IllegalStateException: on purpose",
                failed.getMessage());
        IllegalArgumentException unknown =
                assertThrows(IllegalArgumentException.class, () -> scanner(own("every-third")));
        assertTrue(unknown.getMessage().contains("every-third, which is not among the filters"), unknown.getMessage());
        assertTrue(unknown.getMessage().contains("every-other"), unknown.getMessage());
    }

    @Test
    void fingerprintsTellConfigurationsApart() {
        ShardScanner everything = ShardScanner.ofEverything();
        assertEquals(everything.fingerprint(), ShardScanner.ofEverything().fingerprint());
        assertNotEquals(everything.fingerprint(), scanner(duplicates(10, 8)).fingerprint());
        assertNotEquals(
                scanner(duplicates(10, 7)).fingerprint(),
                scanner(duplicates(10, 8)).fingerprint());
        assertNotEquals(everything.fingerprint(), scanner(own("every-other")).fingerprint());
        assertNotEquals(
                everything.fingerprint(), new ShardScanner(CurationConfig.NONE, new LabelRule("fine")).fingerprint());
    }

    @ParameterizedTest
    @ValueSource(strings = {"score", "score = 5", "score >= five", ">= 5", "score >= 1.2.3", ""})
    void conditionsThatCannotBeReadAreNamed(String condition) {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> new CurationConfig(0, 0, 0, 0, List.of(condition), List.of(), OFF));
        assertTrue(e.getMessage().startsWith("data.curate.fields has '" + condition + "'"), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "-1, 0, 0, 0, 0, 0, minSide",
        "0, 0.9, 0, 0, 0, 0, maxAspect",
        "0, NaN, 0, 0, 0, 0, maxAspect",
        "0, 0, -1, 0, 0, 0, minBytes",
        "0, 0, 0, -1, 0, 0, minCaptionWords",
        "0, 0, 0, 0, -1, 0, nearDuplicates.window",
        "0, 0, 0, 0, 1, 32, nearDuplicates.distance"
    })
    void valuesOutOfRangeAreNamed(int side, double aspect, long bytes, int words, int window, int bits, String key) {
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> new CurationConfig(
                        side, aspect, bytes, words, List.of(), List.of(), new NearDuplicates(window, bits)));
        assertTrue(e.getMessage().startsWith("data.curate." + key + " must be "), e.getMessage());
    }

    /** Keeps the first, third, … sample of a shard. */
    public static final class EveryOther implements SampleFilter {
        private final AtomicInteger seen = new AtomicInteger();

        @Override
        public String name() {
            return "every-other";
        }

        @Override
        public Optional<String> reject(Candidate sample) {
            return seen.getAndIncrement() % 2 == 1 && sample.label() >= 0 ? Optional.of("odd") : Optional.empty();
        }
    }

    /** Throws what no filter should. */
    public static final class Failing implements SampleFilter {
        @Override
        public String name() {
            return "failing";
        }

        @Override
        public Optional<String> reject(Candidate sample) {
            throw new IllegalStateException("on purpose");
        }
    }

    private static ShardScanner scanner(CurationConfig config) {
        return new ShardScanner(config, LabelRule.usual());
    }

    private static CurationConfig duplicates(int window, int distance) {
        return new CurationConfig(0, 0, 0, 0, List.of(), List.of(), new NearDuplicates(window, distance));
    }

    private static CurationConfig own(String filter) {
        return new CurationConfig(0, 0, 0, 0, List.of(), List.of(filter), OFF);
    }

    /** Light and dark regions of every size, the spectrum of a photograph: octaves of smoothed noise. */
    private static BufferedImage picture(int seed) {
        int side = 160;
        Random random = new Random(seed);
        double[] light = new double[side * side];
        for (int cells = 2; cells <= 64; cells *= 2) {
            BufferedImage noise = new BufferedImage(cells, cells, BufferedImage.TYPE_BYTE_GRAY);
            byte[] values = new byte[cells * cells];
            random.nextBytes(values);
            noise.getRaster().setDataElements(0, 0, cells, cells, values);
            int[] octave = resized(noise, side, side, BufferedImage.TYPE_BYTE_GRAY)
                    .getRaster()
                    .getSamples(0, 0, side, side, 0, (int[]) null);
            for (int i = 0; i < light.length; i++) {
                light[i] += (octave[i] - 128) / (double) cells;
            }
        }
        BufferedImage picture = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < light.length; i++) {
            int grey = (int) Math.max(0, Math.min(255, 110 + 1.2 * light[i]));
            picture.setRGB(i % side, i / side, grey << 16 | grey << 8 | grey);
        }
        return picture;
    }

    /** A border of a part of each side cut off, then scaled. */
    private static BufferedImage scaled(BufferedImage picture, double factor, double border) {
        int cut = (int) Math.ceil(border * picture.getWidth());
        int side = picture.getWidth() - 2 * cut;
        int target = (int) (side * factor);
        return resized(picture.getSubimage(cut, cut, side, side), target, target, BufferedImage.TYPE_INT_RGB);
    }

    private static BufferedImage resized(BufferedImage picture, int width, int height, int type) {
        BufferedImage out = new BufferedImage(width, height, type);
        Graphics2D graphics = out.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        graphics.drawImage(picture, 0, 0, width, height, null);
        graphics.dispose();
        return out;
    }
}
