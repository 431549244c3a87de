package io.rasterflow.streams.decode;

import java.util.zip.CRC32;

/**
 * What the bytes of an image say before anything is decoded: format and size, and whether they are whole. OpenCV would
 * allocate whatever size a header claims, and would fill up the missing part of a file that was cut short.
 *
 * @param width pixels
 * @param height pixels
 */
public record ImageHeader(Format format, int width, int height) {

    /** Formats that are read. */
    public enum Format {
        PNG,
        JPEG
    }

    private static final long PNG_SIGNATURE = 0x89504E470D0A1A0AL;
    private static final int IHDR = 0x49484452;
    private static final int IEND = 0x49454E44;

    /**
     * Reads the header and walks the structure: PNG chunk by chunk with checksums, JPEG marker by marker to the first
     * scan, and its end marker.
     *
     * @throws DecodeException if it is neither PNG nor JPEG, or not whole
     */
    public static ImageHeader read(byte[] bytes) throws DecodeException {
        if (bytes.length == 0) {
            throw new DecodeException("the image has zero bytes");
        }
        if (bytes.length >= 33
                && readInt(bytes, 0) == (int) (PNG_SIGNATURE >>> 32)
                && readInt(bytes, 4) == (int) PNG_SIGNATURE) {
            return png(bytes);
        }
        if (bytes.length >= 4 && u8(bytes, 0) == 0xFF && u8(bytes, 1) == 0xD8 && u8(bytes, 2) == 0xFF) {
            return jpeg(bytes);
        }
        throw new DecodeException("neither PNG nor JPEG (" + bytes.length + " bytes)");
    }

    private static ImageHeader png(byte[] bytes) throws DecodeException {
        if (readInt(bytes, 8) != 13 || readInt(bytes, 12) != IHDR) {
            throw new DecodeException("PNG without its header chunk");
        }
        ImageHeader header = new ImageHeader(Format.PNG, readInt(bytes, 16), readInt(bytes, 20));
        CRC32 crc = new CRC32();
        long at = 8;
        while (at + 12 <= bytes.length) {
            int start = (int) at;
            long length = readInt(bytes, start) & 0xFFFFFFFFL;
            if (at + 12 + length > bytes.length) {
                break;
            }
            crc.reset();
            crc.update(bytes, start + 4, (int) length + 4);
            if ((int) crc.getValue() != readInt(bytes, start + 8 + (int) length)) {
                throw new DecodeException("PNG chunk at byte " + at + " has a wrong checksum");
            }
            if (readInt(bytes, start + 4) == IEND) {
                return header.checked();
            }
            at += 12 + length;
        }
        throw new DecodeException("PNG is cut short after " + bytes.length + " bytes");
    }

    private static ImageHeader jpeg(byte[] bytes) throws DecodeException {
        int at = 2;
        while (at + 9 < bytes.length) {
            if (u8(bytes, at) != 0xFF) {
                throw new DecodeException("JPEG has no marker at byte " + at);
            }
            int marker = u8(bytes, at + 1);
            if (marker == 0xFF) { // fill byte
                at++;
                continue;
            }
            boolean frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
            if (frame) {
                requireEnd(bytes);
                return new ImageHeader(Format.JPEG, u16(bytes, at + 7), u16(bytes, at + 5)).checked();
            }
            boolean bare = marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8);
            if (marker == 0xDA || marker == 0xD9) {
                break;
            }
            at += bare ? 2 : 2 + u16(bytes, at + 2);
        }
        throw new DecodeException("JPEG is cut short or has no frame (" + bytes.length + " bytes)");
    }

    /** Some writers leave zero bytes behind the end marker; anything else there means that the end is missing. */
    private static void requireEnd(byte[] bytes) throws DecodeException {
        int end = bytes.length;
        while (end > 2 && bytes[end - 1] == 0) {
            end--;
        }
        for (int at = end - 2; at >= Math.max(2, end - 64); at--) {
            if (u8(bytes, at) == 0xFF && u8(bytes, at + 1) == 0xD9) {
                return;
            }
        }
        throw new DecodeException("JPEG is cut short after " + bytes.length + " bytes");
    }

    private ImageHeader checked() throws DecodeException {
        if (width < 1 || height < 1) {
            throw new DecodeException(format + " has the size " + width + "x" + height);
        }
        return this;
    }

    private static int u8(byte[] bytes, int at) {
        return bytes[at] & 0xFF;
    }

    private static int u16(byte[] bytes, int at) {
        return u8(bytes, at) << 8 | u8(bytes, at + 1);
    }

    private static int readInt(byte[] bytes, int at) {
        return u16(bytes, at) << 16 | u16(bytes, at + 2);
    }
}
