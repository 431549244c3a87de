package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.ImageHeader;
import io.rasterflow.streams.decode.Pixels;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every format and variant gives what Pillow gives, upright: value for value, but for CMYK and YCCK (mean difference below 1, at
 * most 2) and colour JPEG to grey (mean difference below 1).
 */
class ImageDecoderPillowTest {

    static List<DecodeFixtures.Fixture> images() {
        return DecodeFixtures.all();
    }

    @ParameterizedTest
    @MethodSource("images")
    void rgbIsThatOfPillow(DecodeFixtures.Fixture image) throws Exception {
        byte[] actual = decoded(image, 3);
        if (image.name().matches("(cmyk|ycck).*")) {
            assertNear(image.rgb(), actual, 2);
        } else {
            assertArrayEquals(image.rgb(), actual);
        }
    }

    @ParameterizedTest
    @MethodSource("images")
    void greyIsThatOfPillow(DecodeFixtures.Fixture image) throws Exception {
        byte[] actual = decoded(image, 1);
        if (image.name().endsWith(".jpg") && !image.name().contains("grey")) {
            assertNear(image.grey(), actual, 24);
        } else {
            assertArrayEquals(image.grey(), actual);
        }
    }

    @Test
    void everyFormatAndOrientationIsAmongThem() {
        List<String> names = images().stream().map(DecodeFixtures.Fixture::name).toList();
        for (String extension : List.of(".jpg", ".png", ".webp", ".gif")) {
            assertTrue(names.stream().filter(name -> name.endsWith(extension)).count() >= 12, extension);
        }
        assertEquals(
                16,
                names.stream()
                        .filter(name -> name.matches("exif-[1-8](-big-endian)?\\.jpg"))
                        .count());
    }

    private static byte[] decoded(DecodeFixtures.Fixture image, int channels) throws Exception {
        ImageHeader header = ImageHeader.read(image.file());
        assertEquals(image.width(), header.width());
        assertEquals(image.height(), header.height());
        Pixels pixels = new Pixels();
        try (ImageDecoder decoder = new ImageDecoder(channels)) {
            decoder.decode(image.file(), pixels);
        }
        assertEquals(image.width(), pixels.width());
        assertEquals(image.height(), pixels.height());
        assertEquals(channels, pixels.channels());
        return Arrays.copyOf(pixels.values(), image.width() * image.height() * channels);
    }

    private static void assertNear(byte[] expected, byte[] actual, int atMost) {
        assertEquals(expected.length, actual.length);
        long sum = 0;
        for (int i = 0; i < expected.length; i++) {
            int difference = Math.abs((expected[i] & 0xFF) - (actual[i] & 0xFF));
            assertTrue(difference <= atMost, "value " + i + " differs by " + difference);
            sum += difference;
        }
        assertTrue(sum < expected.length, "mean difference " + (double) sum / expected.length);
    }
}
