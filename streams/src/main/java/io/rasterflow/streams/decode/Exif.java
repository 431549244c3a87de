package io.rasterflow.streams.decode;

/**
 * Reads the orientation out of EXIF data, which is a TIFF file without an image. Damaged data has none: an image is not
 * lost because of what its camera wrote beside it.
 *
 * <pre>
 *  0            2       4             8            offset      +2
 *  +------------+-------+-------------+---- ... ---+-----------+---------------------------+
 *  | II or MM   | 42    | offset u32  |            | count u16 | count entries of 12 bytes |
 *  +------------+-------+-------------+---- ... ---+-----------+---------------------------+
 *  entry: | tag u16 | type u16 | number of values u32 | value, left-aligned in 4 bytes |
 *  II little-endian, MM big-endian; the orientation has tag 0x0112 and type 3 (u16), rarely 4 (u32)
 * </pre>
 */
final class Exif {

    private static final String PREFIX = "Exif\0\0";
    private static final int ORIENTATION = 0x0112;
    private static final int SHORT = 3;
    private static final int LONG = 4;
    private static final int ENTRY = 12;

    private Exif() {}

    /** Whether EXIF data of a JPEG segment begins here. */
    static boolean beginsAt(byte[] bytes, int from) {
        return Bytes.matches(bytes, from, PREFIX);
    }

    /** The orientation in the bytes [from, to), which may begin with the prefix that JPEG wants. */
    static Orientation orientation(byte[] bytes, int from, int to) {
        int tiff = beginsAt(bytes, from) ? from + PREFIX.length() : from;
        if (to - tiff < 8) {
            return Orientation.UPRIGHT;
        }
        boolean little = Bytes.matches(bytes, tiff, "II*\0");
        if (!little && !Bytes.matches(bytes, tiff, "MM\0*")) {
            return Orientation.UPRIGHT;
        }
        long directory = tiff + u32(bytes, tiff + 4, little);
        if (directory + 2 > to) {
            return Orientation.UPRIGHT;
        }
        int count = u16(bytes, (int) directory, little);
        int entry = (int) directory + 2;
        for (int i = 0; i < count && entry + ENTRY <= to; i++, entry += ENTRY) {
            if (u16(bytes, entry, little) == ORIENTATION) {
                int type = u16(bytes, entry + 2, little);
                long value = type == SHORT ? u16(bytes, entry + 8, little) : u32(bytes, entry + 8, little);
                return type == SHORT || type == LONG ? Orientation.of(value) : Orientation.UPRIGHT;
            }
        }
        return Orientation.UPRIGHT;
    }

    private static int u16(byte[] bytes, int at, boolean little) {
        return little ? Bytes.le16(bytes, at) : Bytes.be16(bytes, at);
    }

    private static long u32(byte[] bytes, int at, boolean little) {
        return little ? Bytes.le32(bytes, at) : Bytes.be32(bytes, at);
    }
}
