package io.rasterflow.streams.decode;

/** Unsigned numbers in a byte array; {@code be} big-endian, {@code le} little-endian. */
final class Bytes {

    private Bytes() {}

    static int u8(byte[] bytes, int at) {
        return bytes[at] & 0xFF;
    }

    static int be16(byte[] bytes, int at) {
        return u8(bytes, at) << 8 | u8(bytes, at + 1);
    }

    static int le16(byte[] bytes, int at) {
        return u8(bytes, at + 1) << 8 | u8(bytes, at);
    }

    static int le24(byte[] bytes, int at) {
        return u8(bytes, at + 2) << 16 | le16(bytes, at);
    }

    static long be32(byte[] bytes, int at) {
        return (long) be16(bytes, at) << 16 | be16(bytes, at + 2);
    }

    static long le32(byte[] bytes, int at) {
        return (long) le16(bytes, at + 2) << 16 | le16(bytes, at);
    }

    /** Whether these ASCII characters stand at a place, which may lie beyond the end. */
    static boolean matches(byte[] bytes, int at, String text) {
        if (at + text.length() > bytes.length) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (bytes[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
