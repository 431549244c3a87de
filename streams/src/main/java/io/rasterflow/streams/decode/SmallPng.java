package io.rasterflow.streams.decode;

import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Decodes PNGs of few pixels, to which the fixed cost of the native codec would be most of the time. Takes 8-bit grey and RGB
 * that is not interlaced, and only what is whole and as it should be to the last byte: the rest is left to the native codec,
 * which so decides alone what is read of a damaged image, and what is said of it.
 *
 * <pre>
 *  inflated:  | filter u8 | W·S bytes |  for each row; S values a pixel
 *  filter: a byte is the sum of what is stored and  0 nothing | 1 left | 2 above | 3 their mean | 4 the Paeth predictor
 * </pre>
 */
final class SmallPng implements AutoCloseable {

    private static final int MAX_BYTES = 1 << 16;
    private static final int FIRST_CHUNK = 33;
    private static final int IDAT = 0x49444154;
    private static final int IEND = 0x49454E44;
    private static final int GREY = 0;
    private static final int RGB = 2;

    private final Inflater inflater = new Inflater();
    private final byte[] inflated = new byte[MAX_BYTES + 1];
    private final byte[] nothingAbove = new byte[MAX_BYTES];

    /**
     * Decodes an image if it is one of those.
     *
     * @param bytes PNG of which the chunks are known to be whole
     * @param layout of it
     * @param channels 1 or 3
     * @param into receives (H, W, C) values
     * @return whether it was; if not, the values are undefined
     */
    boolean decode(byte[] bytes, Layout layout, int channels, Pixels into) {
        if (layout.format() != ImageHeader.Format.PNG || layout.orientation() != Orientation.UPRIGHT) {
            return false;
        }
        int type = bytes[25];
        boolean taken = bytes[24] == 8 && bytes[28] == 0 && (type == GREY || type == RGB && channels == 3);
        int stored = type == GREY ? 1 : 3;
        long size = layout.height() * (1L + (long) layout.width() * stored);
        return taken && size <= MAX_BYTES && inflate(bytes, (int) size) && unfilter(layout, stored, channels, into);
    }

    private boolean inflate(byte[] bytes, int size) {
        inflater.reset();
        int got = 0;
        int at = FIRST_CHUNK;
        try {
            for (int type = chunk(bytes, at); type != IEND; type = chunk(bytes, at)) {
                int length = (int) Bytes.be32(bytes, at);
                if (type == IDAT) {
                    inflater.setInput(bytes, at + 8, length);
                    // With room for one byte more than there should be, the checksum behind the last is looked at, too.
                    got += inflater.inflate(inflated, got, size + 1 - got);
                    if (inflater.getRemaining() > 0) {
                        return false;
                    }
                }
                at += length + 12;
            }
        } catch (DataFormatException e) {
            return false;
        }
        return inflater.finished() && got == size;
    }

    private static int chunk(byte[] bytes, int at) {
        return (int) Bytes.be32(bytes, at + 4);
    }

    private boolean unfilter(Layout layout, int stored, int channels, Pixels into) {
        int width = layout.width();
        int height = layout.height();
        int row = width * stored;
        byte[] out = into.reset(width, height, channels).values();
        // Grey that becomes RGB is first put at the end of the room for it, from where it is spread.
        int start = width * height * (channels - stored);
        for (int y = 0; y < height; y++) {
            int from = y * (row + 1) + 1;
            int to = start + y * row;
            byte[] above = y == 0 ? nothingAbove : out;
            int up = y == 0 ? 0 : to - row;
            switch (inflated[from - 1]) {
                case 0 -> System.arraycopy(inflated, from, out, to, row);
                case 1 -> left(from, out, to, row, stored);
                case 2 -> above(from, above, up, out, to, row);
                case 3 -> mean(from, above, up, out, to, row, stored);
                case 4 -> paeth(from, above, up, out, to, row, stored);
                default -> {
                    return false;
                }
            }
        }
        if (stored < channels) {
            for (int from = start, to = 0; to < 3 * width * height; from++, to += 3) {
                byte grey = out[from];
                out[to] = grey;
                out[to + 1] = grey;
                out[to + 2] = grey;
            }
        }
        return true;
    }

    private void left(int from, byte[] out, int to, int row, int step) {
        for (int c = 0; c < step; c++) {
            int left = 0;
            for (int x = c; x < row; x += step) {
                left += inflated[from + x];
                out[to + x] = (byte) left;
            }
        }
    }

    private void above(int from, byte[] above, int up, byte[] out, int to, int row) {
        for (int x = 0; x < row; x++) {
            out[to + x] = (byte) (inflated[from + x] + above[up + x]);
        }
    }

    private void mean(int from, byte[] above, int up, byte[] out, int to, int row, int step) {
        for (int c = 0; c < step; c++) {
            int left = 0;
            for (int x = c; x < row; x += step) {
                left = inflated[from + x] + (left + (above[up + x] & 255) >> 1) & 255;
                out[to + x] = (byte) left;
            }
        }
    }

    private void paeth(int from, byte[] above, int up, byte[] out, int to, int row, int step) {
        for (int c = 0; c < step; c++) {
            int left = 0;
            int upLeft = 0;
            for (int x = c; x < row; x += step) {
                int straight = above[up + x] & 255;
                int toLeft = Math.abs(straight - upLeft);
                int toUp = Math.abs(left - upLeft);
                int toUpLeft = Math.abs(left + straight - 2 * upLeft);
                // By sign bits: branches would be foretold wrong half of the time.
                int nearest = straight ^ (straight ^ upLeft) & toUpLeft - toUp >> 31;
                int predicted = left ^ (left ^ nearest) & Math.min(toUp, toUpLeft) - toLeft >> 31;
                left = inflated[from + x] + predicted & 255;
                out[to + x] = (byte) left;
                upLeft = straight;
            }
        }
    }

    @Override
    public void close() {
        inflater.end();
    }
}
