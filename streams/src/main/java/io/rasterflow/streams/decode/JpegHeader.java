package io.rasterflow.streams.decode;

/**
 * Walks the segments of a JPEG.
 *
 * <pre>
 *  FFD8 | FF marker length payload | … | FFDA length scan header | entropy-coded data | … | FFD9
 *  length u16 big-endian, itself included; FF in the data is followed by 00 or by a restart marker D0 … D7
 *  frame (C0, C1 sequential, C2 progressive; C9, CA arithmetic): | precision u8 | height u16 | width u16 | components u8 | …
 * </pre>
 *
 * Metadata is left out: EXIF but for its orientation, profiles, comments. So is what stands behind the end marker, such
 * as the preview that some cameras append.
 */
final class JpegHeader {

    /** Real encoders write about ten. Each takes a pass over all pixels, however few bytes it has. */
    private static final int MAX_SCANS = 200;

    /**
     * Any more are not in the data: with Huffman codes a block of 64 pixels takes a bit at least, and the two components that
     * are sampled finest across and down have half as many blocks as the image at the very least.
     */
    private static final long MAX_PIXELS_PER_BYTE = 1024;

    /** How far before the last byte that is not zero the end marker is looked for before the data is searched for it. */
    private static final int TAIL = 64;

    private static final int HUFFMAN_TABLES = 0xC4;
    private static final int JPEG_EXTENSION = 0xC8;
    private static final int ARITHMETIC_TABLES = 0xCC;
    private static final int START_OF_IMAGE = 0xD8;
    private static final int END_OF_IMAGE = 0xD9;
    private static final int START_OF_SCAN = 0xDA;
    private static final int APP0_JFIF = 0xE0;
    private static final int APP1_EXIF = 0xE1;
    private static final int APP14_ADOBE = 0xEE;
    private static final int APP15 = 0xEF;
    private static final int COMMENT = 0xFE;

    private final byte[] bytes;
    private final Layout layout;
    private boolean sequential;
    private int components;
    private int scans;
    private boolean oriented;

    /** Where the height will stand in the parts that are kept. */
    private int heightAt;

    /** Eight times the finest sampling of a component down the image. */
    private int rowsAtOnce = 8;

    private JpegHeader(byte[] bytes, Layout layout) {
        this.bytes = bytes;
        this.layout = layout;
    }

    static boolean matches(byte[] bytes) {
        return bytes.length >= 4 && Bytes.be16(bytes, 0) == 0xFFD8 && Bytes.u8(bytes, 2) == 0xFF;
    }

    static void read(byte[] bytes, Layout layout) throws DecodeException {
        layout.canvas(0, 0);
        layout.keep(0, 2);
        new JpegHeader(bytes, layout).walk();
    }

    private void walk() throws DecodeException {
        int at = 2;
        while (true) {
            int start = at;
            if (at + 1 < bytes.length && Bytes.u8(bytes, at) != 0xFF) {
                throw new DecodeException("JPEG has no marker at byte " + at);
            }
            while (at + 1 < bytes.length && Bytes.u8(bytes, at + 1) == 0xFF) { // fill bytes
                at++;
            }
            if (at + 2 > bytes.length) {
                throw cutShort();
            }
            int marker = Bytes.u8(bytes, at + 1);
            at += 2;
            if (marker == END_OF_IMAGE) {
                if (scans == 0) {
                    throw new DecodeException("JPEG has no image data");
                }
                layout.keep(start, at);
                return;
            }
            if (marker == 0x01 || (marker >= 0xD0 && marker <= START_OF_IMAGE)) {
                throw new DecodeException("JPEG has the marker 0x" + Integer.toHexString(marker) + " out of place");
            }
            int length = at + 2 <= bytes.length ? Bytes.be16(bytes, at) : 0;
            if (length < 2 || at + length > bytes.length) {
                throw cutShort();
            }
            segment(marker, start, at + 2, at + length);
            at += length;
            if (marker == START_OF_SCAN) {
                int end = components == scanComponents(at - length) && sequential ? endMarkerNearEnd() : -1;
                if (end >= at) {
                    layout.keep(at, end);
                    layout.rowsInOrder(heightAt, rowsAtOnce);
                    return;
                }
                int next = nextMarker(at);
                layout.keep(at, next);
                at = next;
            }
        }
    }

    /** Looks at a segment with its payload in [from, to), and keeps those that decoding needs. */
    private void segment(int marker, int start, int from, int to) throws DecodeException {
        boolean frame = marker >= 0xC0
                && marker <= 0xCF
                && marker != HUFFMAN_TABLES
                && marker != JPEG_EXTENSION
                && marker != ARITHMETIC_TABLES;
        if (frame) {
            heightAt = layout.keptBytes() + from + 1 - start;
            frame(marker, from, to);
        } else if (marker == START_OF_SCAN) {
            if (components == 0) {
                throw new DecodeException("JPEG has image data before its frame header");
            }
            if (++scans > MAX_SCANS) {
                throw new DecodeException("JPEG has more than " + MAX_SCANS + " scans");
            }
        } else if (marker == APP1_EXIF && !oriented && Exif.beginsAt(bytes, from)) {
            oriented = true;
            layout.orientation(Exif.orientation(bytes, from, to));
        }
        boolean application = marker >= APP0_JFIF && marker <= APP15;
        boolean aboutColours = marker == APP0_JFIF || marker == APP14_ADOBE;
        if (aboutColours || !(application || marker == COMMENT)) {
            layout.keep(start, to);
        }
    }

    private void frame(int marker, int from, int to) throws DecodeException {
        boolean arithmetic = marker == 0xC9 || marker == 0xCA;
        if (marker > 0xC2 && !arithmetic) {
            throw new DecodeException("JPEG of the kind 0x" + Integer.toHexString(marker) + " is not read");
        }
        if (components != 0 || to - from < 6) {
            throw new DecodeException("JPEG has a wrong frame header");
        }
        int precision = Bytes.u8(bytes, from);
        components = Bytes.u8(bytes, from + 5);
        if (precision != 8 || (components != 1 && components != 3 && components != 4)) {
            throw new DecodeException("JPEG with " + components + " components of " + precision + " bits is not read");
        }
        if (to - from != 6 + 3 * components) {
            throw new DecodeException("JPEG has a wrong frame header");
        }
        for (int at = from + 7; at < to; at += 3) {
            rowsAtOnce = Math.max(rowsAtOnce, 8 * (Bytes.u8(bytes, at) & 15));
        }
        sequential = marker == 0xC0 || marker == 0xC1 || marker == 0xC9;
        int width = Bytes.be16(bytes, from + 3);
        int height = Bytes.be16(bytes, from + 1);
        if (!arithmetic && (long) width * height > MAX_PIXELS_PER_BYTE * bytes.length) {
            throw new DecodeException(
                    "JPEG claims " + width + "x" + height + " pixels, too many for its " + bytes.length + " bytes");
        }
        layout.canvas(width, height);
    }

    /** Components of the scan whose header has its length field here. */
    private int scanComponents(int at) {
        return Bytes.be16(bytes, at) > 2 ? Bytes.u8(bytes, at + 2) : 0;
    }

    /**
     * Just behind the end marker of a file that ends with it, zero bytes behind it aside; -1 if there is none. Spares a
     * walk through the image data, which is most of the file.
     */
    private int endMarkerNearEnd() {
        int end = bytes.length;
        while (end > 2 && bytes[end - 1] == 0) {
            end--;
        }
        for (int at = end - 2; at >= Math.max(2, end - TAIL); at--) {
            if (Bytes.be16(bytes, at) == (0xFF00 | END_OF_IMAGE)) {
                return at + 2;
            }
        }
        return -1;
    }

    /** The marker that ends entropy-coded data. */
    private int nextMarker(int from) throws DecodeException {
        for (int at = from; at + 1 < bytes.length; at++) {
            if (bytes[at] == (byte) 0xFF) {
                int marker = Bytes.u8(bytes, at + 1);
                if (marker != 0 && marker != 0xFF && (marker < 0xD0 || marker >= START_OF_IMAGE)) {
                    return at;
                }
            }
        }
        throw cutShort();
    }

    private DecodeException cutShort() {
        return new DecodeException("JPEG is cut short after " + bytes.length + " bytes");
    }
}
