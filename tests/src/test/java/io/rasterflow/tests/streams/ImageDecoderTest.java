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
import java.util.List;
import java.util.zip.CRC32;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ImageDecoderTest {

    /** How much the resident set of the process, heap included, may grow over 20,000 images. */
    private static final long GROWTH_BYTES = 100L << 20;

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
    void aClaimThatTheBytesCannotHoldIsRefused() {
        byte[] jpeg = DecodeFixtures.bytes("baseline-444.jpg");
        int frame = indexOf(jpeg, 0xFF, 0xC0);
        ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 9000).putShort(frame + 7, (short) 9000);
        assertRefused(jpeg, "JPEG claims 9000x9000 pixels, too many for its " + jpeg.length + " bytes");
    }

    @Test
    void thePixelLimitCanBeSet() throws Exception {
        byte[] webp = DecodeFixtures.bytes("lossless.webp");
        assertThrows(IllegalArgumentException.class, () -> new ImageDecoder(3, 0));
        assertThrows(IllegalArgumentException.class, () -> new ImageDecoder(3, Integer.MAX_VALUE));
        try (ImageDecoder exact = new ImageDecoder(3, 35 * 22);
                ImageDecoder tight = new ImageDecoder(3, 35 * 22 - 1)) {
            exact.decode(webp, pixels);
            DecodeException e = assertThrows(DecodeException.class, () -> tight.decode(webp, pixels));
            assertEquals("WEBP claims 35x22 pixels, more than the limit of 769", e.getMessage());
        }
    }

    /** Each would have to go over all of its pixels once more. */
    @Test
    void aJpegOfVeryManyScansIsRefused() {
        byte[] jpeg = DecodeFixtures.bytes("progressive-444.jpg");
        int scan = indexOf(jpeg, 0xFF, 0xDA);
        int next = scan + 2;
        while (jpeg[next] != (byte) 0xFF || jpeg[next + 1] == 0) {
            next++;
        }
        ByteBuffer many = ByteBuffer.allocate(jpeg.length + 300 * (next - scan));
        many.put(jpeg, 0, next);
        for (int i = 0; i < 300; i++) {
            many.put(jpeg, scan, next - scan);
        }
        many.put(jpeg, next, jpeg.length - next);
        assertRefused(many.array(), "JPEG has more than 200 scans");
    }

    @Test
    void everyCutOfAWebpAndOfAGifBeforeItsFirstFrameEndsIsNoticed() {
        for (String name : List.of("lossy.webp", "lossless-alpha.webp", "exif-5.webp", "interlaced.gif", "grey.gif")) {
            byte[] file = DecodeFixtures.bytes(name);
            for (int cut = 0; cut < file.length - 1; cut += 3) {
                assertRefused(Arrays.copyOf(file, cut));
            }
        }
    }

    @Test
    void aBadImageDoesNotSpoilTheNextOne() throws Exception {
        DecodeFixtures.Fixture turned = fixture("exif-6.jpg");
        for (String name : List.of("exif-5.webp", "animated-partial.webp", "rgba-16.png", "transparent.gif")) {
            byte[] cut = Arrays.copyOf(DecodeFixtures.bytes(name), DecodeFixtures.bytes(name).length / 2);
            assertThrows(DecodeException.class, () -> rgb.decode(cut, pixels));
            rgb.decode(turned.file(), pixels);
            assertArrayEquals(turned.rgb(), Arrays.copyOf(pixels.values(), turned.rgb().length));
            DecodeFixtures.Fixture other = fixture(name);
            rgb.decode(other.file(), pixels);
            assertArrayEquals(other.rgb(), Arrays.copyOf(pixels.values(), other.rgb().length));
        }
    }

    /**
     * 20,000 images of all formats, 5,000 of them broken; only formats whose codec says nothing about that on standard error.
     * The larger ones alone would leave 200 MB behind if each leaked its pixels.
     */
    @Test
    void nativeAndHeapMemoryStayFlatOverThousandsOfImages() throws Exception {
        List<DecodeFixtures.Fixture> images = DecodeFixtures.all();
        BufferedImage photograph = new BufferedImage(500, 400, BufferedImage.TYPE_INT_RGB);
        List<byte[]> larger = List.of(TestData.encode(photograph, "jpg"), TestData.encode(photograph, "png"));
        long settled = 0;
        long pointers = 0;
        for (int round = 0; round < 70; round++) {
            for (DecodeFixtures.Fixture image : images) {
                rgb.decode(image.file(), pixels);
                grey.decode(image.file(), pixels);
                if (image.name().matches(".*\\.(webp|gif)")) {
                    byte[] broken = image.file().clone();
                    Arrays.fill(broken, broken.length / 2, broken.length, (byte) 0x55);
                    decodeOrRefuse(broken);
                }
            }
            for (int i = 0; i < 6; i++) {
                rgb.decode(larger.get(i % 2), pixels);
            }
            if (round == 9) {
                settled = Pointer.physicalBytes();
                pointers = Pointer.totalBytes();
            }
        }
        long grown = Pointer.physicalBytes() - settled;
        assertTrue(grown < GROWTH_BYTES, "the resident set grew by " + grown + " bytes");
        assertTrue(Pointer.totalBytes() <= pointers + (1 << 20), Pointer.totalBytes() + " after " + pointers);
    }

    @Test
    void whatALargeImageNeededIsGivenBack() throws Exception {
        byte[] large = TestData.encode(new BufferedImage(3000, 2500, BufferedImage.TYPE_INT_RGB), "png");
        rgb.decode(large, pixels);
        assertTrue(pixels.capacity() >= 3000 * 2500 * 3);
        rgb.decode(DecodeFixtures.bytes("plain.gif"), pixels);
        assertTrue(pixels.capacity() <= ImageDecoder.KEPT_BYTES, pixels.capacity() + " values are kept");
    }

    private void decodeOrRefuse(byte[] bytes) {
        try {
            rgb.decode(bytes, pixels);
        } catch (DecodeException e) {
            assertFalse(e.getMessage().isEmpty());
        }
    }

    @Test
    void otherFormatsAndEmptyFilesAreRefused() throws IOException {
        assertRefused(new byte[0]);
        assertRefused(new byte[1000]);
        assertRefused(TestData.encode(new BufferedImage(5, 5, BufferedImage.TYPE_INT_RGB), "bmp"));
        assertThrows(IllegalArgumentException.class, () -> new ImageDecoder(2));
    }

    private static DecodeFixtures.Fixture fixture(String name) {
        return DecodeFixtures.all().stream()
                .filter(image -> image.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static int indexOf(byte[] bytes, int first, int second) {
        for (int at = 0; ; at++) {
            if (bytes[at] == (byte) first && bytes[at + 1] == (byte) second) {
                return at;
            }
        }
    }

    private void assertRefused(byte[] bytes, String message) {
        assertEquals(
                message,
                assertThrows(DecodeException.class, () -> grey.decode(bytes, pixels))
                        .getMessage());
    }

    private void assertRefused(byte[] bytes) {
        DecodeException e = assertThrows(DecodeException.class, () -> grey.decode(bytes, pixels));
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
    }
}
