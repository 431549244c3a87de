package io.rasterflow.streams.decode;

import java.util.zip.CRC32;

/**
 * Walks the chunks of a PNG and checks their checksums. An animated one gives its default image.
 *
 * <pre>
 *  | signature 8 B | IHDR | … | PLTE | … | IDAT | IDAT | … | IEND |
 *  chunk: | length u32 | type, 4 letters | length bytes | CRC-32 of type and bytes |         big-endian
 *  IHDR:  | width u32 | height u32 | bits u8 | colour type u8 | compression 0 | filter 0 | interlaced 0 or 1 |
 *  colour type: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA
 * </pre>
 *
 * Only IHDR, PLTE, IDAT and IEND are kept. Alpha is dropped, so tRNS is not needed; gamma and profiles are not applied
 * (libpng would, on the way from colour to grey), as in Pillow.
 */
final class PngHeader {

    private static final int IHDR = 0x49484452;
    private static final int PLTE = 0x504C5445;
    private static final int IDAT = 0x49444154;
    private static final int EXIF = 0x65584966;
    private static final int IEND = 0x49454E44;

    private static final int PALETTE = 3;
    private static final int FIRST_CHUNK = 8;
    private static final int CHUNK_FRAME = 12;

    /** Deflate makes at most so many bytes of one. */
    private static final long MAX_EXPANSION = 1032;

    /** libpng reads no more. */
    private static final int MAX_SIDE = 1_000_000;

    private PngHeader() {}

    static boolean matches(byte[] bytes) {
        return bytes.length >= 33 && Bytes.be32(bytes, 0) == 0x89504E47L && Bytes.be32(bytes, 4) == 0x0D0A1A0AL;
    }

    static void read(byte[] bytes, Layout layout) throws DecodeException {
        header(bytes, layout);
        boolean indexed = Bytes.u8(bytes, 25) == PALETTE;
        boolean palette = false;
        boolean data = false;
        CRC32 crc = new CRC32();
        int at = FIRST_CHUNK;
        while (at + CHUNK_FRAME <= bytes.length) {
            long length = Bytes.be32(bytes, at);
            if (length > bytes.length - at - CHUNK_FRAME) {
                break;
            }
            int content = at + 8;
            int end = content + (int) length;
            crc.reset();
            crc.update(bytes, at + 4, (int) length + 4);
            if (crc.getValue() != Bytes.be32(bytes, end)) {
                throw new DecodeException("PNG chunk at byte " + at + " has a wrong checksum");
            }
            switch ((int) Bytes.be32(bytes, at + 4)) {
                case IHDR -> require(at == FIRST_CHUNK, "PNG has two header chunks");
                case PLTE -> {
                    if (indexed && !palette && !data) {
                        require(length >= 3 && length <= 768 && length % 3 == 0, "PNG has a wrong palette");
                        palette = true;
                        layout.keep(at, end + 4);
                    }
                }
                case IDAT -> {
                    require(palette || !indexed, "PNG has no palette");
                    data = true;
                    layout.keep(at, end + 4);
                }
                case EXIF -> layout.orientation(Exif.orientation(bytes, content, end));
                case IEND -> {
                    require(data, "PNG has no image data");
                    layout.keep(at, end + 4);
                    return;
                }
                default -> {} // nothing that the pixels depend on
            }
            at = end + 4;
        }
        throw new DecodeException("PNG is cut short after " + bytes.length + " bytes");
    }

    private static void header(byte[] bytes, Layout layout) throws DecodeException {
        require(Bytes.be32(bytes, 8) == 13 && (int) Bytes.be32(bytes, 12) == IHDR, "PNG without its header chunk");
        long width = Bytes.be32(bytes, 16);
        long height = Bytes.be32(bytes, 20);
        require(
                width <= MAX_SIDE && height <= MAX_SIDE,
                "PNG claims " + width + "x" + height + " pixels, but a side may have " + MAX_SIDE + " at most");
        int bits = Bytes.u8(bytes, 24);
        int type = Bytes.u8(bytes, 25);
        boolean known =
                switch (type) {
                    case 0 -> bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
                    case PALETTE -> bits == 1 || bits == 2 || bits == 4 || bits == 8;
                    case 2, 4, 6 -> bits == 8 || bits == 16;
                    default -> false;
                };
        boolean methods = bytes[26] == 0 && bytes[27] == 0 && Bytes.u8(bytes, 28) <= 1;
        require(known && methods, "PNG with colour type " + type + " of " + bits + " bits is not read");
        require(
                width * bits / 8 * height <= MAX_EXPANSION * bytes.length,
                "PNG claims " + width + "x" + height + " pixels, too many for its " + bytes.length + " bytes");
        layout.canvas((int) width, (int) height);
        layout.keep(0, FIRST_CHUNK + CHUNK_FRAME + 13);
    }

    private static void require(boolean condition, String fault) throws DecodeException {
        if (!condition) {
            throw new DecodeException(fault);
        }
    }
}
