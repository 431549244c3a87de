package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.order.KeyedPermutation;
import io.rasterflow.streams.pack.Compression;
import io.rasterflow.streams.pack.ContactSheet;
import io.rasterflow.streams.pack.PackReport;
import io.rasterflow.streams.pack.Verification;
import io.rasterflow.streams.pack.VerificationReport;
import io.rasterflow.streams.pack.source.FolderSource;
import io.rasterflow.streams.shard.DataConfig;
import io.rasterflow.streams.shard.DataSet;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PackVerificationTest {

    @TempDir
    Path folder;

    private PackReport packed;

    @BeforeEach
    void pack() throws IOException {
        packed = PackData.pack(
                FolderSource.open(PackData.folder(folder, 12)),
                PackData.config(4, Compression.NONE, OptionalLong.empty(), false),
                folder.resolve("out"));
    }

    private VerificationReport verify(String... patterns) throws IOException {
        DataConfig config = DataConfig.in(folder.resolve("cache"));
        return Verification.verify(DataSet.list(List.of(patterns), config), config, 2, (done, total) -> {});
    }

    private String manifest() {
        return packed.manifest().toString();
    }

    /** Where the first image begins. */
    private static int jpeg(Path shard) throws IOException {
        return Files.readString(shard, StandardCharsets.ISO_8859_1).indexOf("\u00ff\u00d8\u00ff");
    }

    private static void flip(Path file, long at) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) at] ^= 0x10;
        Files.write(file, bytes);
    }

    private void correct(String was, String is) throws IOException {
        String manifest = Files.readString(packed.manifest());
        assertTrue(manifest.contains(was), manifest);
        Files.writeString(packed.manifest(), manifest.replace(was, is));
    }

    @Test
    void goodShardsPassWithAndWithoutTheirManifest() throws IOException {
        for (String pattern : List.of(manifest(), folder.resolve("out").toString())) {
            VerificationReport report = verify(pattern);
            assertTrue(report.passed(), report.toString());
            assertEquals(12, report.samples());
            assertEquals(3, report.shards());
        }
    }

    @Test
    void aFlippedByteInAnImageIsFoundByTheManifestAndWhereItBreaksTheImageAlsoWithoutIt() throws IOException {
        Path shard = packed.shards().get(1);
        int jpeg = jpeg(shard);
        flip(shard, jpeg); // the JPEG's first byte
        VerificationReport bare = verify(folder.resolve("out").toString());
        assertFalse(bare.passed());
        assertEquals(1, bare.brokenCount());
        assertEquals(jpeg, bare.broken().get(0).offset());
        assertEquals(shard.toString(), bare.broken().get(0).shard());
        assertTrue(bare.broken().get(0).firstBytes().startsWith("efd8ff"), bare.toString());
        assertEquals(12, bare.samples());

        flip(shard, jpeg);
        assertTrue(verify(manifest()).passed());
        flip(shard, jpeg + 30); // in a quantisation table: it decodes, to other colours
        VerificationReport listed = verify(manifest());
        assertEquals(0, listed.brokenCount());
        assertEquals(1, listed.faults().size());
        assertTrue(
                listed.faults().get(0).startsWith(shard + " has the sha256 ")
                        && listed.faults().get(0).contains(" but the manifest says "),
                listed.toString());
    }

    @Test
    void aFlippedDigitInTheManifestIsFound() throws IOException {
        correct("{\"name\":\"train-00001.tar\",\"samples\":4", "{\"name\":\"train-00001.tar\",\"samples\":5");
        correct("\"samples\": 12", "\"samples\": 13");
        VerificationReport report = verify(manifest());
        assertEquals(List.of(packed.shards().get(1) + " has 4 samples but the manifest says 5"), report.faults());
    }

    @Test
    void damagedAndMissingShardsDoNotHideTheOthers() throws IOException {
        Files.delete(packed.shards().get(0));
        byte[] header = Files.readAllBytes(packed.shards().get(1));
        Arrays.fill(header, 124, 136, (byte) 'z'); // the size in the first header
        Files.write(packed.shards().get(1), header);
        flip(packed.shards().get(2), jpeg(packed.shards().get(2)) + 30);
        VerificationReport report = verify(manifest());
        assertEquals(3, report.shards());
        assertEquals(4, report.samples(), "of the last shard");
        List<String> faults = report.faults();
        assertEquals(4, faults.size(), faults.toString());
        assertEquals(packed.shards().get(0) + " is missing", faults.get(0));
        assertTrue(faults.get(2).contains("train-00001.tar at byte "), faults.toString());
        assertTrue(faults.get(3).contains("train-00002.tar has the sha256"), faults.toString());
    }

    @Test
    void inspectionCountsWhatIsThere() throws Exception {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("a.cls", TestData.text("0"));
        entries.put("a.jpg", TestData.encode(PackData.image(1, 300, 100), "jpg"));
        entries.put("b.png", TestData.encode(PackData.image(2, 50, 70), "png"));
        entries.put("c.cls", TestData.text("3"));
        entries.put("c.png", TestData.encode(PackData.image(3, 64, 64), "png"));
        entries.put("d.png", TestData.text("<html>"));
        Path one = TestData.tar(folder.resolve("one.tar"), entries);
        Path two = TestData.tar(folder.resolve("two.tar"), Map.of("a.png", TestData.png(TestData.pixels(1))));
        try (DataSet data = DataSet.open(List.of(one.toString(), two.toString()), folder.resolve("cache"))) {
            VerificationReport report = Verification.inspect(data);
            assertEquals(5, report.samples());
            assertEquals(Map.of("JPEG", 1L, "PNG", 3L), report.formats());
            assertEquals(Map.of(28, 1L, 50, 1L, 64, 1L, 100, 1L), report.shorterSides());
            assertEquals(50, report.medianShorterSide());
            assertEquals(
                    Map.of(
                            VerificationReport.Aspect.WIDER_THAN_2_TO_1, 1L,
                            VerificationReport.Aspect.TALL, 1L,
                            VerificationReport.Aspect.SQUARE, 2L),
                    report.aspects());
            assertEquals(Map.of(-1, 3L, 0, 1L, 3, 1L), report.labels());
            assertEquals(List.of("a"), report.duplicateKeys());
            assertEquals(1, report.brokenCount());
            assertEquals("3c68746d6c3e", report.broken().get(0).firstBytes());
        }
    }

    @Test
    void theContactSheetShowsTheSamplesOfThePermutationInTheirCells() throws Exception {
        Path shards = TestData.packed(folder, 12, 5);
        BufferedImage sheet;
        try (DataSet data = DataSet.open(List.of(shards.toString()), folder.resolve("cache"))) {
            sheet = image(ContactSheet.draw(data, 7, 42, List.of()));
        }
        int pitch = ContactSheet.CELL + ContactSheet.GAP;
        assertEquals(ContactSheet.GAP + 3 * pitch, sheet.getWidth());
        assertEquals(ContactSheet.GAP + 3 * (pitch + ContactSheet.CAPTION), sheet.getHeight());
        int times = ContactSheet.CELL / TestData.SIDE;
        int margin = (ContactSheet.CELL - times * TestData.SIDE) / 2;
        KeyedPermutation order = new KeyedPermutation(12, 42);
        for (int cell = 0; cell < 7; cell++) {
            byte[] pixels = TestData.pixels((int) order.apply(cell));
            int left = ContactSheet.GAP + cell % 3 * pitch + margin;
            int top = ContactSheet.GAP + cell / 3 * (pitch + ContactSheet.CAPTION) + margin;
            byte[] drawn = new byte[pixels.length];
            for (int i = 0; i < drawn.length; i++) {
                int x = left + i % TestData.SIDE * times;
                int y = top + i / TestData.SIDE * times;
                drawn[i] = (byte) sheet.getRGB(x, y);
                assertEquals(sheet.getRGB(x, y), sheet.getRGB(x + times - 1, y + times - 1));
            }
            assertArrayEquals(pixels, drawn, "cell " + cell);
            assertTrue(hasText(sheet, left - margin, top - margin + ContactSheet.CELL), "no label in cell " + cell);
        }
        assertFalse(
                hasText(sheet, ContactSheet.GAP + pitch, sheet.getHeight() - ContactSheet.CAPTION - ContactSheet.GAP));
    }

    @Test
    void largeImagesAreFittedIntoTheirCellAndBrokenOnesNamed() throws Exception {
        BufferedImage wide = new BufferedImage(512, 256, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 512 * 256; i++) {
            wide.setRGB(i % 512, i / 512, 0x20A060);
        }
        Path shard = TestData.tar(folder.resolve("wide.tar"), Map.of("w.png", TestData.encode(wide, "png")));
        try (DataSet data = DataSet.open(List.of(shard.toString()), folder.resolve("cache"))) {
            BufferedImage sheet = image(ContactSheet.draw(data, 64, 0, List.of()));
            assertEquals(ContactSheet.CELL + 2 * ContactSheet.GAP, sheet.getWidth());
            int middle = ContactSheet.GAP + ContactSheet.CELL / 2;
            assertEquals(0xFF20A060, sheet.getRGB(ContactSheet.GAP, middle));
            assertEquals(0xFF20A060, sheet.getRGB(middle, ContactSheet.GAP + 32));
            assertEquals(0xFF181818, sheet.getRGB(middle, ContactSheet.GAP + 31), "half as high as wide");
        }
        Path broken = TestData.tar(folder.resolve("broken.tar"), Map.of("b.png", new byte[] {1, 2, 3}));
        try (DataSet data = DataSet.open(List.of(broken.toString()), folder.resolve("cache"))) {
            BufferedImage sheet = image(ContactSheet.draw(data, 1, 0, List.of()));
            assertTrue(hasText(sheet, ContactSheet.GAP, ContactSheet.GAP + ContactSheet.CELL));
        }
    }

    private static boolean hasText(BufferedImage sheet, int left, int top) {
        for (int y = top; y < top + ContactSheet.CAPTION; y++) {
            for (int x = left; x < left + ContactSheet.CELL; x++) {
                if ((sheet.getRGB(x, y) & 0xFF) > 150) {
                    return true;
                }
            }
        }
        return false;
    }

    private static BufferedImage image(byte[] png) throws IOException {
        return ImageIO.read(new ByteArrayInputStream(png));
    }
}
