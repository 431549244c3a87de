package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.Pixels;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ImageDecoderTest {

    private final ImageDecoder grey = new ImageDecoder(1);
    private final ImageDecoder rgb = new ImageDecoder(3);
    private final Pixels pixels = new Pixels();

    @AfterEach
    void close() {
        grey.close();
        rgb.close();
    }

    @Test
    void greyBecomesRgbAndSizesMayChangeBetweenImages() throws Exception {
        byte[] values = TestData.pixels(3);
        rgb.decode(TestData.png(values), pixels);
        for (int i = 0; i < values.length; i++) {
            assertEquals(values[i], pixels.values()[3 * i]);
            assertEquals(values[i], pixels.values()[3 * i + 2]);
        }
        BufferedImage red = new BufferedImage(50, 20, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 1000; i++) {
            red.setRGB(i % 50, i / 50, 0xC81E0A);
        }
        rgb.decode(TestData.encode(red, "png"), pixels);
        assertEquals(50, pixels.width());
        assertEquals(20, pixels.height());
        assertArrayEquals(new byte[] {(byte) 200, 30, 10}, Arrays.copyOf(pixels.values(), 3));
        rgb.decode(TestData.encode(red, "jpg"), pixels);
        assertEquals(200, pixels.values()[0] & 0xFF, 4);
        assertEquals(10, pixels.values()[2] & 0xFF, 6);
        grey.decode(TestData.png(values), pixels);
        assertArrayEquals(values, Arrays.copyOf(pixels.values(), values.length));
    }

    @Test
    void everyCutAndEveryFlippedByteOfAPngIsNoticed() throws IOException {
        byte[] png = TestData.png(TestData.pixels(1));
        for (int cut = 0; cut < png.length; cut += 7) {
            assertRefused(Arrays.copyOf(png, cut));
        }
        for (int at = 0; at < png.length; at += 11) {
            byte[] flipped = png.clone();
            flipped[at] ^= 0x10;
            assertRefused(flipped);
        }
    }

    @Test
    void aCutJpegIsNoticed() throws IOException {
        byte[] jpeg = TestData.encode(new BufferedImage(64, 64, BufferedImage.TYPE_INT_RGB), "jpg");
        for (int cut = 0; cut < jpeg.length - 1; cut += 5) {
            assertRefused(Arrays.copyOf(jpeg, cut));
        }
    }

    @Test
    void aDecompressionBombIsRefusedByItsHeader() throws IOException {
        byte[] png = TestData.png(TestData.pixels(1));
        ByteBuffer buffer = ByteBuffer.wrap(png);
        buffer.putInt(16, 30_000).putInt(20, 30_000);
        CRC32 crc = new CRC32();
        crc.update(png, 12, 17);
        buffer.putInt(29, (int) crc.getValue());
        DecodeException e = assertThrows(DecodeException.class, () -> grey.decode(png, pixels));
        assertTrue(e.getMessage().contains("30000x30000"), e.getMessage());
    }

    @Test
    void otherFormatsAndEmptyFilesAreRefused() throws IOException {
        assertRefused(new byte[0]);
        assertRefused(new byte[1000]);
        assertRefused(TestData.encode(new BufferedImage(5, 5, BufferedImage.TYPE_INT_RGB), "gif"));
        assertThrows(IllegalArgumentException.class, () -> new ImageDecoder(2));
    }

    private void assertRefused(byte[] bytes) {
        DecodeException e = assertThrows(DecodeException.class, () -> grey.decode(bytes, pixels));
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }
}
