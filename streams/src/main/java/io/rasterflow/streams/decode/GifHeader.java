package io.rasterflow.streams.decode;

/**
 * Where the first frame of a GIF lies.
 *
 * <pre>
 *  | "GIF87a" or "GIF89a" | width u16 | height u16 | flags u8 | background u8 | aspect u8 | global palette | block | … | 3B
 *  extension: | 21 | kind u8 | sub-blocks |; kind F9: | 4 | flags u8 | delay u16 | transparent index u8 | 0 |
 *  frame:     | 2C | left u16 | top u16 | width u16 | height u16 | flags u8 | local palette | bits u8 | sub-blocks |
 *  sub-blocks: | length u8 | length bytes |, …, | 0 |                                          little-endian
 *  flags: 80 a palette follows, of 2 << (flags &amp; 7) colours; frames: 40 interlaced; F9: 01 a transparent index
 * </pre>
 *
 * @param width of the canvas; larger than the file says if the frame needs it, as in Pillow
 * @param height likewise
 * @param left of the frame on the canvas
 * @param paletteAt first byte of the palette
 * @param colours in the palette, 0 if there is none
 * @param surrounding index of the colour around the frame: the transparent one, else 0
 * @param codeBits of the first codes, without the one bit more that they have
 * @param dataAt first sub-block of the pixels
 */
record GifHeader(
        int width,
        int height,
        int left,
        int top,
        int frameWidth,
        int frameHeight,
        boolean interlaced,
        int paletteAt,
        int colours,
        int surrounding,
        int codeBits,
        int dataAt) {

    private static final int SCREEN = 13;
    private static final int FRAME = 10;
    private static final int PALETTE_FOLLOWS = 0x80;
    private static final int INTERLACED = 0x40;
    private static final int GRAPHIC_CONTROL = 0xF9;
    private static final int MIN_CODE_BITS = 2;
    private static final int MAX_CODE_BITS = 8;

    static boolean matches(byte[] bytes) {
        return Bytes.matches(bytes, 0, "GIF87a") || Bytes.matches(bytes, 0, "GIF89a");
    }

    /** Walks the blocks to the end of the first frame. */
    static GifHeader read(byte[] bytes) throws DecodeException {
        require(bytes.length > SCREEN, bytes);
        int screenFlags = Bytes.u8(bytes, 10);
        int at = SCREEN + paletteBytes(screenFlags);
        int surrounding = 0;
        while (true) {
            require(at + 1 < bytes.length, bytes);
            int block = Bytes.u8(bytes, at);
            if (block == '!') {
                boolean control = Bytes.u8(bytes, at + 1) == GRAPHIC_CONTROL;
                int end = behindSubBlocks(bytes, at + 2);
                if (control && Bytes.u8(bytes, at + 2) >= 4) {
                    surrounding = (bytes[at + 3] & 1) != 0 ? Bytes.u8(bytes, at + 6) : 0;
                }
                at = end;
            } else if (block == ',') {
                return frame(bytes, at, screenFlags, surrounding);
            } else if (block == ';') {
                throw new DecodeException("GIF has no image data");
            } else {
                throw new DecodeException("GIF has an unknown block at byte " + at);
            }
        }
    }

    private static GifHeader frame(byte[] bytes, int at, int screenFlags, int surrounding) throws DecodeException {
        require(at + FRAME <= bytes.length, bytes);
        int left = Bytes.le16(bytes, at + 1);
        int top = Bytes.le16(bytes, at + 3);
        int width = Bytes.le16(bytes, at + 5);
        int height = Bytes.le16(bytes, at + 7);
        int flags = Bytes.u8(bytes, at + 9);
        boolean local = (flags & PALETTE_FOLLOWS) != 0;
        int codeAt = at + FRAME + paletteBytes(flags);
        require(codeAt < bytes.length, bytes);
        int codeBits = Bytes.u8(bytes, codeAt);
        if (width == 0 || height == 0 || codeBits < MIN_CODE_BITS || codeBits > MAX_CODE_BITS) {
            throw new DecodeException(
                    "GIF has a frame of " + width + "x" + height + " with codes of " + codeBits + " bits");
        }
        behindSubBlocks(bytes, codeAt + 1);
        return new GifHeader(
                Math.max(Bytes.le16(bytes, 6), left + width),
                Math.max(Bytes.le16(bytes, 8), top + height),
                left,
                top,
                width,
                height,
                (flags & INTERLACED) != 0,
                local ? at + FRAME : SCREEN,
                paletteBytes(local ? flags : screenFlags) / 3,
                surrounding,
                codeBits,
                codeAt + 1);
    }

    private static int paletteBytes(int flags) {
        return (flags & PALETTE_FOLLOWS) != 0 ? 3 * (2 << (flags & 7)) : 0;
    }

    private static int behindSubBlocks(byte[] bytes, int from) throws DecodeException {
        int at = from;
        while (true) {
            require(at < bytes.length, bytes);
            int length = Bytes.u8(bytes, at);
            at += 1 + length;
            if (length == 0) {
                return at;
            }
        }
    }

    private static void require(boolean whole, byte[] bytes) throws DecodeException {
        if (!whole) {
            throw new DecodeException("GIF is cut short after " + bytes.length + " bytes");
        }
    }
}
