package io.rasterflow.streams.storage;

import java.net.URI;
import java.util.Objects;
import java.util.Optional;

/**
 * What is known of an object. Bytes are only ever put together from one version.
 *
 * @param uri where it is
 * @param bytes its size; {@link #UNKNOWN_SIZE} if the store does not tell
 * @param version changes whenever the object does: a strong ETag, the time of the last change, or the latter and the size of a
 *     file; empty if the store tells none of them, and then a broken download starts again from its first byte
 * @param checksum of all bytes
 */
public record ObjectInfo(URI uri, long bytes, String version, Optional<Checksum> checksum) {

    public static final long UNKNOWN_SIZE = -1;

    public ObjectInfo {
        Objects.requireNonNull(uri, "uri");
        Objects.requireNonNull(version, "version");
        Objects.requireNonNull(checksum, "checksum");
        if (bytes < UNKNOWN_SIZE) {
            throw new IllegalArgumentException("an object cannot have " + bytes + " bytes");
        }
    }

    /** An object of which only the place is known. */
    public static ObjectInfo at(URI uri) {
        return new ObjectInfo(uri, UNKNOWN_SIZE, "", Optional.empty());
    }

    /** The same object with the checksum that it has to have, such as a manifest's. */
    public ObjectInfo withChecksum(Checksum expected) {
        return new ObjectInfo(uri, bytes, version, Optional.of(expected));
    }
}
