package io.rasterflow.streams.decode;

import java.util.Arrays;

/**
 * Decodes the first frame of a GIF onto its canvas, as Pillow does: transparent pixels keep the colour that the palette gives
 * them, and the canvas around the frame has the transparent colour, else the first.
 *
 * <p>OpenCV is not asked: it makes transparent pixels black, reads all frames, refuses files without their last byte, and
 * needs time and memory out of all proportion for some.
 *
 * <p>LZW: a code below 2^bits stands for itself; 2^bits empties the table, 2^bits + 1 ends; every other one stands for an
 * earlier string and one more index. Codes grow from bits + 1 to 12 bits as the table fills up.
 */
final class GifDecoder {

    private static final int MAX_CODES = 1 << 12;
    private static final int MAX_BITS = 12;
    private static final int NONE = -1;

    /** First row and distance of the rows in each pass of an interlaced frame. */
    private static final int[][] PASSES = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};

    private static final int[][] ONE_PASS = {{0, 1}};

    private final short[] prefix = new short[MAX_CODES];
    private final byte[] suffix = new byte[MAX_CODES];
    private final byte[] string = new byte[MAX_CODES];

    /** Three values, or one for grey, of each index. */
    private final byte[] palette = new byte[3 * 256];

    // The frame at hand
    private byte[] bytes;
    private int blockAt;
    private int blockLeft;
    private int bitBuffer;
    private int bitCount;
    private Pixels into;
    private GifHeader header;
    private int[][] passes;
    private int pass;
    private int column;
    private int row;
    private long left;

    /** @param channels 1 grey, 3 RGB */
    void decode(byte[] file, int channels, Pixels target) throws DecodeException {
        bytes = file;
        header = GifHeader.read(file);
        into = target.reset(header.width(), header.height(), channels);
        try {
            readPalette(channels);
            fillCanvas(channels);
            passes = header.interlaced() ? PASSES : ONE_PASS;
            pass = 0;
            column = 0;
            row = 0;
            left = (long) header.frameWidth() * header.frameHeight();
            blockAt = header.dataAt();
            blockLeft = Bytes.u8(file, blockAt++);
            bitBuffer = 0;
            bitCount = 0;
            decodeCodes(header.codeBits());
        } finally {
            bytes = null;
            into = null;
        }
    }

    /** Indices beyond the palette are greys, as in Pillow. */
    private void readPalette(int channels) {
        for (int i = 0; i < 256; i++) {
            int at = header.paletteAt() + 3 * i;
            boolean given = i < header.colours();
            int red = given ? Bytes.u8(bytes, at) : i;
            int green = given ? Bytes.u8(bytes, at + 1) : i;
            int blue = given ? Bytes.u8(bytes, at + 2) : i;
            if (channels == 1) {
                palette[i] = Grey.of(red, green, blue);
            } else {
                palette[3 * i] = (byte) red;
                palette[3 * i + 1] = (byte) green;
                palette[3 * i + 2] = (byte) blue;
            }
        }
    }

    private void fillCanvas(int channels) {
        if (header.frameWidth() == header.width() && header.frameHeight() == header.height()) {
            return;
        }
        int values = header.width() * header.height() * channels;
        if (channels == 1) {
            Arrays.fill(into.values(), 0, values, palette[header.surrounding()]);
            return;
        }
        for (int i = 0; i < values; i += channels) {
            System.arraycopy(palette, channels * header.surrounding(), into.values(), i, channels);
        }
    }

    private void decodeCodes(int codeBits) throws DecodeException {
        int clear = 1 << codeBits;
        int end = clear + 1;
        int bits = codeBits + 1;
        int next = end + 1;
        int previous = NONE;
        int first = 0;
        while (left > 0) {
            int code = nextCode(bits);
            if (code == end) {
                throw cutShort();
            }
            if (code == clear) {
                bits = codeBits + 1;
                next = end + 1;
                previous = NONE;
                continue;
            }
            if (code > next || (previous == NONE && code > end)) {
                throw new DecodeException("GIF has a wrong code in its data, with " + left + " pixels to come");
            }
            // A code that is just about to be defined: the string before, and its own first index once more.
            int at = MAX_CODES;
            int unrolled = code;
            if (code == next) {
                string[--at] = (byte) first;
                unrolled = previous;
            }
            for (; unrolled > end; unrolled = prefix[unrolled]) {
                string[--at] = suffix[unrolled];
            }
            string[--at] = (byte) unrolled;
            first = unrolled;
            emit(at);
            if (previous != NONE && next < MAX_CODES) {
                prefix[next] = (short) previous;
                suffix[next] = (byte) first;
                next++;
                if (next == 1 << bits && bits < MAX_BITS) {
                    bits++;
                }
            }
            previous = code;
        }
    }

    /** Writes the end of the string from an index on; what would be too much is left out. */
    private void emit(int from) {
        int channels = into.channels();
        byte[] values = into.values();
        for (int i = from; i < MAX_CODES && left > 0; i++, left--) {
            int index = Bytes.u8(string, i);
            int at = ((header.top() + row) * header.width() + header.left() + column) * channels;
            if (channels == 1) {
                values[at] = palette[index];
            } else {
                values[at] = palette[3 * index];
                values[at + 1] = palette[3 * index + 1];
                values[at + 2] = palette[3 * index + 2];
            }
            if (++column == header.frameWidth()) {
                column = 0;
                row += passes[pass][1];
                while (row >= header.frameHeight() && pass + 1 < passes.length) {
                    row = passes[++pass][0];
                }
            }
        }
    }

    private int nextCode(int bits) throws DecodeException {
        while (bitCount < bits) {
            if (blockLeft == 0) {
                throw cutShort();
            }
            bitBuffer |= Bytes.u8(bytes, blockAt++) << bitCount;
            bitCount += 8;
            if (--blockLeft == 0) {
                blockLeft = Bytes.u8(bytes, blockAt++);
            }
        }
        int code = bitBuffer & (1 << bits) - 1;
        bitBuffer >>>= bits;
        bitCount -= bits;
        return code;
    }

    private DecodeException cutShort() {
        return new DecodeException("GIF ends before its picture does, with " + left + " pixels to come");
    }
}
