package io.rasterflow.streams.storage;

import java.util.Base64;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * The checksum of an object.
 *
 * @param algorithm how it is made
 * @param hex its value, big-endian, in lower case
 */
public record Checksum(Algorithm algorithm, String hex) {

    /** In the order of preference: what protects best comes first. */
    public enum Algorithm {
        SHA256(32),
        SHA1(20),
        MD5(16),
        CRC64NVME(8),
        CRC32C(4),
        CRC32(4);

        private final int bytes;

        Algorithm(int bytes) {
            this.bytes = bytes;
        }
    }

    public Checksum {
        hex = hex.toLowerCase(Locale.ROOT);
        if (!hex.matches("[0-9a-f]{" + 2 * algorithm.bytes + "}")) {
            throw new IllegalArgumentException("'" + hex + "' is no " + algorithm + "; it must have "
                    + 2 * algorithm.bytes + " hexadecimal digits");
        }
    }

    /** Reads what a header holds; empty for anything but one value of the algorithm, such as the checksum of checksums of parts. */
    static Optional<Checksum> ofBase64(Algorithm algorithm, String base64) {
        try {
            byte[] bytes = Base64.getDecoder().decode(base64.strip());
            return bytes.length == algorithm.bytes
                    ? Optional.of(new Checksum(algorithm, HexFormat.of().formatHex(bytes)))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    @Override
    public String toString() {
        return algorithm + " " + hex;
    }
}
