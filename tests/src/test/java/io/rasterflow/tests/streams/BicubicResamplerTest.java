package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.augment.BicubicResampler;
import io.rasterflow.streams.augment.CropBox;
import io.rasterflow.streams.decode.Pixels;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Resampling agrees with Pillow value for value; see pillow_bicubic.py for how the reference was made. */
class BicubicResamplerTest {

    @Test
    void agreesWithPillow() throws IOException {
        List<String> lines = reference();
        BicubicResampler resampler = new BicubicResampler();
        int cases = 0;
        for (int i = 0; i < lines.size(); i += 3) {
            String[] f = lines.get(i).split(" ", -1);
            int channels = Integer.parseInt(f[1]);
            Pixels image = pixels(lines.get(i + 1), channels, Integer.parseInt(f[2]), Integer.parseInt(f[3]));
            int outWidth = Integer.parseInt(f[8]);
            int outHeight = Integer.parseInt(f[9]);
            Pixels out = new Pixels();
            double left = Double.parseDouble(f[4]);
            double top = Double.parseDouble(f[5]);
            double right = Double.parseDouble(f[6]);
            double bottom = Double.parseDouble(f[7]);
            if (f[0].equals("crop")) {
                CropBox crop = new CropBox((int) left, (int) top, (int) (right - left), (int) (bottom - top));
                resampler.resample(image, crop, outWidth, outHeight, out);
            } else {
                resampler.resample(image, left, top, right, bottom, outWidth, outHeight, out);
            }
            byte[] expected = HexFormat.of().parseHex(lines.get(i + 2));
            assertArrayEquals(expected, Arrays.copyOf(out.values(), expected.length), lines.get(i));
            cases++;
        }
        assertTrue(cases >= 9, "only " + cases + " reference cases");
    }

    /** The references are of few pixels; an axis that keeps its length lets a few lines be compared with many. */
    @Test
    void manyPixelsAreResampledAsFewAre() {
        BicubicResampler resampler = new BicubicResampler();
        Random random = new Random(1);
        for (int channels : new int[] {1, 3}) {
            for (int to : new int[] {13, 30, 47}) {
                Pixels tall = new Pixels().reset(30, 300, channels);
                random.nextBytes(tall.values());
                Pixels many = new Pixels();
                Pixels few = new Pixels();
                resampler.resample(tall, new CropBox(1, 0, 29, 300), to, 300, many);
                resampler.resample(tall, new CropBox(1, 7, 29, 20), to, 20, few);
                int row = to * channels;
                assertArrayEquals(
                        Arrays.copyOfRange(many.values(), 7 * row, 27 * row), Arrays.copyOf(few.values(), 20 * row));
                Pixels wide = new Pixels().reset(300, 30, channels);
                random.nextBytes(wide.values());
                resampler.resample(wide, new CropBox(0, 1, 300, 29), 300, to, many);
                resampler.resample(wide, new CropBox(7, 1, 20, 29), 20, to, few);
                for (int y = 0; y < to; y++) {
                    int from = (y * 300 + 7) * channels;
                    assertArrayEquals(
                            Arrays.copyOfRange(many.values(), from, from + 20 * channels),
                            Arrays.copyOfRange(few.values(), y * 20 * channels, (y + 1) * 20 * channels));
                }
            }
        }
    }

    @Test
    void refusesABoxOutsideTheImage() {
        Pixels image = new Pixels().reset(4, 4, 1);
        assertThrows(IllegalArgumentException.class, () -> new BicubicResampler()
                .resample(image, 0, 0, 4.5, 4, 2, 2, new Pixels()));
    }

    /** Rows as many as the tall image had and as long as the wide one needs would be 4 GB. */
    @Test
    void aWideImageAfterATallOneNeedsMemoryForItselfAlone() {
        BicubicResampler resampler = new BicubicResampler();
        Pixels out = new Pixels();
        int side = 60_000;
        resampler.resample(new Pixels().reset(4, side, 1), new CropBox(0, 0, 4, side), 4, 4, out);
        resampler.resample(new Pixels().reset(side, 4, 1), new CropBox(0, 0, side, 4), 20_000, 4, out);
        assertEquals(20_000, out.width());
    }

    private static Pixels pixels(String hex, int channels, int width, int height) {
        Pixels image = new Pixels().reset(width, height, channels);
        byte[] values = HexFormat.of().parseHex(hex);
        System.arraycopy(values, 0, image.values(), 0, values.length);
        return image;
    }

    private static List<String> reference() throws IOException {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(BicubicResamplerTest.class.getResourceAsStream("/streams/pillow_bicubic.txt")),
                StandardCharsets.US_ASCII))) {
            return reader.lines().filter(line -> !line.startsWith("#")).toList();
        }
    }
}
