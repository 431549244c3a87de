package io.rasterflow.streams.storage;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/** A checksum in the making. */
final class Digest {

    private final Checksum.Algorithm algorithm;
    private final Consumer<ByteBuffer> bytes;
    private final Supplier<String> hex;

    private Digest(Checksum.Algorithm algorithm, Consumer<ByteBuffer> bytes, Supplier<String> hex) {
        this.algorithm = algorithm;
        this.bytes = bytes;
        this.hex = hex;
    }

    static Digest of(Checksum.Algorithm algorithm) {
        return switch (algorithm) {
            case SHA256 -> message(algorithm, "SHA-256");
            case SHA1 -> message(algorithm, "SHA-1");
            case MD5 -> message(algorithm, "MD5");
            case CRC64NVME -> cyclic(algorithm, new Crc64Nvme(), 16);
            case CRC32C -> cyclic(algorithm, new CRC32C(), 8);
            case CRC32 -> cyclic(algorithm, new CRC32(), 8);
        };
    }

    private static Digest message(Checksum.Algorithm algorithm, String name) {
        try {
            MessageDigest digest = MessageDigest.getInstance(name);
            return new Digest(algorithm, digest::update, () -> HexFormat.of().formatHex(digest.digest()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has " + name, e);
        }
    }

    private static Digest cyclic(Checksum.Algorithm algorithm, java.util.zip.Checksum sum, int digits) {
        return new Digest(algorithm, sum::update, () -> HexFormat.of().toHexDigits(sum.getValue(), digits));
    }

    /** Takes all remaining bytes of the buffer. */
    void update(ByteBuffer buffer) {
        bytes.accept(buffer);
    }

    /** The checksum of all bytes so far; called once, at the end. */
    Checksum finish() {
        return new Checksum(algorithm, hex.get());
    }
}
