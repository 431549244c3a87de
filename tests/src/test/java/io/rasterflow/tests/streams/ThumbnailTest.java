package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.decode.Thumbnail;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small pictures of images, damaged ones too. */
class ThumbnailTest {

    /** Red above, blue below, with some noise that does not compress. */
    private static BufferedImage picture(int width, int height) {
        BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = picture.createGraphics();
        pen.setColor(Color.RED);
        pen.fillRect(0, 0, width, height / 2);
        pen.setColor(Color.BLUE);
        pen.fillRect(0, height / 2, width, height);
        pen.dispose();
        Random random = new Random(1);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                picture.setRGB(x, y, picture.getRGB(x, y) ^ random.nextInt(64) << 8);
            }
        }
        return picture;
    }

    private static BufferedImage thumbnail(byte[] encoded) throws IOException {
        byte[] png = Thumbnail.png(encoded).orElseThrow();
        assertTrue(png.length < 16_000, png.length + " bytes");
        return ImageIO.read(new ByteArrayInputStream(png));
    }

    private static boolean isRed(BufferedImage image, int x, int y) {
        Color colour = new Color(image.getRGB(x, y));
        return colour.getRed() > 200 && colour.getBlue() < 60;
    }

    private static boolean isBlue(BufferedImage image, int x, int y) {
        Color colour = new Color(image.getRGB(x, y));
        return colour.getBlue() > 200 && colour.getRed() < 60;
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg"})
    void aWholeImageIsShrunk(String format) throws IOException {
        BufferedImage small = thumbnail(TestData.encode(picture(640, 320), format));
        assertEquals(64, small.getWidth());
        assertEquals(32, small.getHeight());
        assertTrue(isRed(small, 0, 0) && isRed(small, 63, 13) && isBlue(small, 0, 18) && isBlue(small, 63, 31));
        assertEquals(28, thumbnail(TestData.encode(picture(28, 28), format)).getWidth(), "it does not grow");
        assertEquals(1, thumbnail(TestData.encode(picture(1_000, 3), format)).getHeight());
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpg"})
    void ofACutImageTheUpperPartIsShown(String format) throws IOException {
        byte[] whole = TestData.encode(picture(320, 320), format);
        BufferedImage small = thumbnail(Arrays.copyOf(whole, whole.length * 2 / 5));
        assertTrue(isRed(small, 10, 2), "the upper part");
        assertFalse(isBlue(small, 10, small.getHeight() - 2), "the lower part was cut off");
    }

    @Test
    void whatIsNoImageHasNone() throws IOException {
        byte[] png = TestData.encode(picture(100, 100), "png");
        assertEquals(Optional.empty(), Thumbnail.png(new byte[0]));
        assertEquals(Optional.empty(), Thumbnail.png("<html><script>".getBytes(StandardCharsets.UTF_8)));
        assertEquals(Optional.empty(), Thumbnail.png(Arrays.copyOf(png, 40)));
        Arrays.fill(png, 20, png.length, (byte) 7);
        assertEquals(Optional.empty(), Thumbnail.png(png), "its size is damaged");
    }

    @Test
    void nothingOfTheFileButItsPixelsComesAlong() throws IOException {
        byte[] image = TestData.encode(picture(100, 100), "png");
        byte[] script = "<script>alert(1)</script>".getBytes(StandardCharsets.US_ASCII);
        byte[] both = Arrays.copyOf(image, image.length + script.length);
        System.arraycopy(script, 0, both, image.length, script.length);
        byte[] png = Thumbnail.png(both).orElseThrow();
        assertFalse(new String(png, StandardCharsets.ISO_8859_1).contains("script"));
    }

    @Test
    void anImageThatClaimsToBeHugeIsLeftAlone() throws IOException {
        byte[] cut = TestData.encode(new BufferedImage(5_000, 5_000, BufferedImage.TYPE_BYTE_GRAY), "png");
        assertEquals(Optional.empty(), Thumbnail.png(cut));
    }
}
