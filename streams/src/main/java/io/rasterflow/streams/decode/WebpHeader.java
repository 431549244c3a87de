package io.rasterflow.streams.decode;

/**
 * Walks the chunks of a WebP to its first frame, whose colours are kept as a still image of their own; alpha is dropped.
 *
 * <pre>
 *  | "RIFF" | bytes that follow u32 | "WEBP" | chunk | …          little-endian
 *  chunk:  | type, 4 letters | length u32 | length bytes | 0 if the length is odd |
 *  simple:   "VP8 " lossy or "VP8L" lossless
 *  extended: "VP8X" | flags | 0 0 0 | width-1 u24 | height-1 u24 |, then ICCP, ALPH, "VP8 " or "VP8L", EXIF, XMP
 *  animated: "VP8X", ANIM, and for each frame
 *            ANMF | left/2 u24 | top/2 u24 | width-1 u24 | height-1 u24 | duration u24 | flags u8 | ALPH, "VP8 " or "VP8L"
 * </pre>
 */
final class WebpHeader {

    private static final int FIRST_CHUNK = 12;
    private static final int CHUNK_HEADER = 8;
    private static final int FRAME_HEADER = 16;
    private static final int EXTENDED_HEADER = 10;
    private static final int MAX_SIDE_BITS = 0x3FFF;

    private final byte[] bytes;
    private final Layout layout;
    private boolean extended;
    private boolean found;

    private WebpHeader(byte[] bytes, Layout layout) {
        this.bytes = bytes;
        this.layout = layout;
    }

    static boolean matches(byte[] bytes) {
        return Bytes.matches(bytes, 0, "RIFF") && Bytes.matches(bytes, 8, "WEBP");
    }

    static void read(byte[] bytes, Layout layout) throws DecodeException {
        layout.canvas(0, 0);
        long end = CHUNK_HEADER + Bytes.le32(bytes, 4);
        if (end > bytes.length) {
            throw cutShort(bytes);
        }
        WebpHeader header = new WebpHeader(bytes, layout);
        header.walk(FIRST_CHUNK, (int) end);
        if (!header.found) {
            throw new DecodeException("WebP has no image data");
        }
    }

    /** Walks the chunks in [from, to). */
    private void walk(int from, int to) throws DecodeException {
        int at = from;
        while (at + CHUNK_HEADER <= to) {
            long length = Bytes.le32(bytes, at + 4);
            int content = at + CHUNK_HEADER;
            if (length > to - content) {
                throw cutShort(bytes);
            }
            int end = content + (int) length;
            if (Bytes.matches(bytes, at, "VP8X") && at == FIRST_CHUNK) {
                require(length >= EXTENDED_HEADER, "WebP has a wrong header");
                extended = true;
                layout.canvas(1 + Bytes.le24(bytes, content + 4), 1 + Bytes.le24(bytes, content + 7));
            } else if (Bytes.matches(bytes, at, "EXIF")) {
                layout.orientation(Exif.orientation(bytes, content, end));
            } else if (Bytes.matches(bytes, at, "ANMF") && !found) {
                require(extended && length >= FRAME_HEADER, "WebP has a wrong frame header");
                frame(content);
                walk(content + FRAME_HEADER, end);
                require(found, "WebP has an empty frame");
            } else if (Bytes.matches(bytes, at, "VP8 ") && !found) {
                require(
                        length >= 10 && (bytes[content] & 1) == 0 && Bytes.le24(bytes, content + 3) == 0x2A019D,
                        "WebP has a wrong key frame");
                int width = Bytes.le16(bytes, content + 6) & MAX_SIDE_BITS;
                int height = Bytes.le16(bytes, content + 8) & MAX_SIDE_BITS;
                image(at, end, width, height);
            } else if (Bytes.matches(bytes, at, "VP8L") && !found) {
                require(length >= 5 && bytes[content] == 0x2F, "WebP has a wrong lossless header");
                long sizes = Bytes.le32(bytes, content + 1);
                int width = 1 + (int) (sizes & MAX_SIDE_BITS);
                int height = 1 + (int) (sizes >>> 14 & MAX_SIDE_BITS);
                image(at, end, width, height);
            }
            at = end + (int) (length & 1);
        }
    }

    private void frame(int content) throws DecodeException {
        int left = 2 * Bytes.le24(bytes, content);
        int top = 2 * Bytes.le24(bytes, content + 3);
        int width = 1 + Bytes.le24(bytes, content + 6);
        int height = 1 + Bytes.le24(bytes, content + 9);
        require(
                left + width <= layout.width() && top + height <= layout.height(),
                "WebP has a frame of " + width + "x" + height + " at " + left + "," + top + " outside of its canvas of "
                        + layout.width() + "x" + layout.height());
        layout.frame(left, top, width, height);
    }

    /** Takes the chunk [at, end) for the image, in a file of its own. */
    private void image(int at, int end, int width, int height) throws DecodeException {
        if (!extended) {
            layout.canvas(width, height);
        }
        require(
                width == layout.frameWidth() && height == layout.frameHeight(),
                "WebP decodes to " + width + "x" + height + " but its header says " + layout.frameWidth() + "x"
                        + layout.frameHeight());
        found = true;
        layout.keep(0, FIRST_CHUNK);
        layout.keep(at, end);
        int following = FIRST_CHUNK - CHUNK_HEADER + end - at;
        layout.head(new byte[] {
            'R',
            'I',
            'F',
            'F',
            (byte) following,
            (byte) (following >> 8),
            (byte) (following >> 16),
            (byte) (following >> 24)
        });
    }

    private static void require(boolean condition, String fault) throws DecodeException {
        if (!condition) {
            throw new DecodeException(fault);
        }
    }

    private static DecodeException cutShort(byte[] bytes) {
        return new DecodeException("WebP is cut short after " + bytes.length + " bytes");
    }
}
