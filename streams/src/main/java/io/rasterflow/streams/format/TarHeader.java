package io.rasterflow.streams.format;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One header block of a tar.
 *
 * <pre>
 *  0       100    124    136   148      156    157      257     263    345          500   512
 *  +-------+------+------+-----+--------+------+--------+-------+------+------------+-----+
 *  | name  | mode | size | time| check- | type | link   | magic | ...  | prefix     |     |
 *  | 100 B | u, g | 12 B | 12 B| sum 8 B| 1 B  | 100 B  | 6 B   |      | 155 B      |     |
 *  +-------+------+------+-----+--------+------+--------+-------+------+------------+-----+
 *  numbers are octal text, or big-endian binary if the highest bit of the field is set (GNU)
 *  magic "ustar\0": the path is prefix/name; otherwise (GNU "ustar  ", v7) the prefix is something else
 * </pre>
 *
 * @param path as it stands in this block; a long name may replace it
 * @param size bytes of content that the block claims; -1 if that is no number
 * @param type of the entry, see POSIX pax and GNU tar
 */
record TarHeader(String path, long size, char type) {

    static final int BLOCK = 512;

    /** Follows an old GNU sparse header if this byte of it is not zero. */
    static final int SPARSE_CONTINUES = 482;

    private static final int CHECKSUM = 148;
    private static final int PREFIX = 345;

    static boolean isZero(byte[] bytes, int at) {
        for (int i = 0; i < BLOCK; i++) {
            if (bytes[at + i] != 0) {
                return false;
            }
        }
        return true;
    }

    /** Whether the checksum of the block holds; old writers added the bytes as signed numbers. */
    static boolean isHeader(byte[] bytes, int at) {
        int unsigned = 0;
        int signed = 0;
        for (int i = 0; i < BLOCK; i++) {
            byte value = i >= CHECKSUM && i < CHECKSUM + 8 ? (byte) ' ' : bytes[at + i];
            unsigned += value & 0xFF;
            signed += value;
        }
        long expected = number(bytes, at + CHECKSUM, 8);
        return expected == unsigned || expected == signed;
    }

    /** Reads a block whose checksum holds. */
    static TarHeader read(byte[] bytes, int at) {
        String path = text(bytes, at, 100);
        boolean ustar = "ustar\0".equals(new String(bytes, at + 257, 6, StandardCharsets.ISO_8859_1));
        String prefix = ustar ? text(bytes, at + PREFIX, 155) : "";
        return new TarHeader(prefix.isEmpty() ? path : prefix + "/" + path, number(bytes, at + 124, 12), (char)
                (bytes[at + 156] & 0xFF));
    }

    /** Up to the first zero byte. */
    static String text(byte[] bytes, int from, int length) {
        int end = from;
        while (end < from + length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, from, end - from, StandardCharsets.UTF_8);
    }

    /** An octal or binary number; -1 if it is neither, or negative, or above 2^63. */
    private static long number(byte[] bytes, int from, int length) {
        if ((bytes[from] & 0x80) != 0) {
            byte[] binary = Arrays.copyOfRange(bytes, from, from + length);
            binary[0] &= 0x7F;
            long value = 0;
            for (byte b : binary) {
                if (value > Long.MAX_VALUE >>> 8) {
                    return -1;
                }
                value = value << 8 | b & 0xFF;
            }
            return value;
        }
        String octal = text(bytes, from, length).strip();
        try {
            return octal.isEmpty() ? 0 : octal.startsWith("+") ? -1 : Long.parseLong(octal, 8);
        } catch (NumberFormatException e) {
            return -1;
        }
    }
}
