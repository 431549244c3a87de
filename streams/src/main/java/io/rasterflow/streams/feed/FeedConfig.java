package io.rasterflow.streams.feed;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a receiver keeps its buffer.
 *
 * @param directory the buffer, made if missing; on a local disk
 * @param layout of a new buffer, and what an existing one must have; empty to take what is there, or the default
 * @param maxBytes bound of the buffer on disk
 * @param reserveBytes of the disk that are left free: a write to a mapped page that the disk cannot back would fault
 * @param durability what an answer promises
 */
public record FeedConfig(
        Path directory, Optional<FeedLayout> layout, long maxBytes, long reserveBytes, Durability durability) {

    /** Bound of a buffer unless it is given: 10 GB. */
    public static final long DEFAULT_MAX_BYTES = 10_000_000_000L;

    /** Bytes of the disk that are left free unless it is given. */
    public static final long DEFAULT_RESERVE_BYTES = 256L << 20;

    /** What an image survives once its arrival is answered. */
    public enum Durability {
        /** The loss of power: those that arrive together are synced together before they are answered. */
        DISK,
        /** The death of the receiver by whatever signal. Shards are still synced before they can be read. */
        PROCESS
    }

    public FeedConfig {
        if (maxBytes < 1 << 20) {
            throw new IllegalArgumentException("--max-bytes must be at least 1048576 but is " + maxBytes
                    + "; give it the bytes that the feed may use");
        }
        if (reserveBytes < 0) {
            throw new IllegalArgumentException("reserveBytes must not be negative but is " + reserveBytes);
        }
    }

    /** The defaults, synced to disk. */
    public static FeedConfig of(Path directory) {
        return new FeedConfig(directory, Optional.empty(), DEFAULT_MAX_BYTES, DEFAULT_RESERVE_BYTES, Durability.DISK);
    }

    /** With a layout that a new buffer gets and an existing one must have. */
    public FeedConfig withLayout(FeedLayout newLayout) {
        return new FeedConfig(directory, Optional.of(newLayout), maxBytes, reserveBytes, durability);
    }

    /** With another bound. */
    public FeedConfig withMaxBytes(long newMaxBytes) {
        return new FeedConfig(directory, layout, newMaxBytes, reserveBytes, durability);
    }
}
