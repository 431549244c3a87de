package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.Pixels;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;

/** Small PNGs are decoded without the native codec, but for those that are not as they should be. */
class SmallPngTest {

    private static final int WIDTH = 23;
    private static final int HEIGHT = 17;

    /** Any row with any filter below any other, in data chunks of any size. */
    @Test
    void everyFilterIsUndone() throws Exception {
        try (ImageDecoder grey = new ImageDecoder(1);
                ImageDecoder rgb = new ImageDecoder(3)) {
            Random random = new Random(1);
            for (int i = 0; i < 50; i++) {
                byte[] values = values(random, 1);
                byte[] png = png(1, deflated(filtered(values, 1, random)), 1 + random.nextInt(90));
                assertArrayEquals(values, decoded(grey, png));
                byte[] threefold = new byte[3 * values.length];
                for (int v = 0; v < threefold.length; v++) {
                    threefold[v] = values[v / 3];
                }
                assertArrayEquals(threefold, decoded(rgb, png));
                byte[] coloured = values(random, 3);
                png = png(3, deflated(filtered(coloured, 3, random)), 1 + random.nextInt(90));
                assertArrayEquals(coloured, decoded(rgb, png));
            }
        }
    }

    @Test
    void dataThatAreNotThoseOfAnImageAreRefused() throws Exception {
        Random random = new Random(2);
        byte[] filtered = filtered(values(random, 1), 1, random);
        byte[] unknownFilter = filtered.clone();
        unknownFilter[5 * (WIDTH + 1)] = 5;
        byte[] brokenStream = deflated(filtered);
        brokenStream[0] = 0;
        try (ImageDecoder grey = new ImageDecoder(1)) {
            for (byte[] data : new byte[][] {
                deflated(unknownFilter), deflated(Arrays.copyOf(filtered, filtered.length - WIDTH)), brokenStream
            }) {
                byte[] png = png(1, data, data.length);
                assertThrows(DecodeException.class, () -> grey.decode(png, new Pixels()));
            }
        }
    }

    private static byte[] values(Random random, int channels) {
        byte[] values = new byte[WIDTH * HEIGHT * channels];
        random.nextBytes(values);
        return values;
    }

    private static byte[] decoded(ImageDecoder decoder, byte[] png) throws DecodeException {
        Pixels pixels = new Pixels();
        decoder.decode(png, pixels);
        return Arrays.copyOf(pixels.values(), pixels.width() * pixels.height() * pixels.channels());
    }

    private static byte[] filtered(byte[] values, int channels, Random random) {
        int row = WIDTH * channels;
        byte[] filtered = new byte[HEIGHT * (row + 1)];
        for (int y = 0; y < HEIGHT; y++) {
            int filter = random.nextInt(5);
            filtered[y * (row + 1)] = (byte) filter;
            for (int x = 0; x < row; x++) {
                int left = x < channels ? 0 : values[y * row + x - channels] & 255;
                int up = y == 0 ? 0 : values[(y - 1) * row + x] & 255;
                int upLeft = x < channels || y == 0 ? 0 : values[(y - 1) * row + x - channels] & 255;
                int predicted =
                        switch (filter) {
                            case 0 -> 0;
                            case 1 -> left;
                            case 2 -> up;
                            case 3 -> (left + up) / 2;
                            default -> paeth(left, up, upLeft);
                        };
                filtered[y * (row + 1) + 1 + x] = (byte) (values[y * row + x] - predicted);
            }
        }
        return filtered;
    }

    /** As the PNG specification has it. */
    private static int paeth(int a, int b, int c) {
        int p = a + b - c;
        int pa = Math.abs(p - a);
        int pb = Math.abs(p - b);
        int pc = Math.abs(p - c);
        if (pa <= pb && pa <= pc) {
            return a;
        }
        return pb <= pc ? b : c;
    }

    private static byte[] deflated(byte[] bytes) {
        Deflater deflater = new Deflater();
        deflater.setInput(bytes);
        deflater.finish();
        byte[] deflated = new byte[2 * bytes.length + 100];
        int length = deflater.deflate(deflated);
        deflater.end();
        return Arrays.copyOf(deflated, length);
    }

    private static byte[] png(int channels, byte[] data, int chunkBytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
        byte[] header = {0, 0, 0, WIDTH, 0, 0, 0, HEIGHT, 8, (byte) (channels == 1 ? 0 : 2), 0, 0, 0};
        chunk(out, "IHDR", header);
        for (int from = 0; from < data.length; from += chunkBytes) {
            chunk(out, "IDAT", Arrays.copyOfRange(data, from, Math.min(data.length, from + chunkBytes)));
        }
        chunk(out, "IEND", new byte[0]);
        return out.toByteArray();
    }

    private static void chunk(ByteArrayOutputStream out, String type, byte[] content) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(content);
        out.writeBytes(ByteBuffer.allocate(4).putInt(content.length).array());
        out.writeBytes(name);
        out.writeBytes(content);
        out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
    }
}
