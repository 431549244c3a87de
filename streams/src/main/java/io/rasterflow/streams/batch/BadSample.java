package io.rasterflow.streams.batch;

import java.util.HexFormat;

/**
 * A sample that was skipped.
 *
 * @param shard shard as it was named in the configuration
 * @param offset byte offset of the sample in the (uncompressed) shard
 * @param key sample key within the shard
 * @param position global position that a substitute fills
 * @param cause one line
 * @param firstBytes up to 32 of its first bytes in hexadecimal; empty if none could be read
 */
public record BadSample(String shard, long offset, String key, long position, String cause, String firstBytes) {

    /** Cause of those that {@link StreamConfig#quarantine} names. */
    static final String NAMED = "it is named in data.stream.quarantine";

    private static final int FIRST_BYTES = 32;

    /** How the sample is named in {@link StreamConfig#quarantine}. */
    public static String name(String shard, String key) {
        return shard + "#" + key;
    }

    /** Whether it was skipped because it was meant to be: that is no fault of the data. */
    boolean named() {
        return cause.equals(NAMED);
    }

    /** The first bytes of a sample as they are shown. */
    public static String firstBytes(byte[] bytes) {
        return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, FIRST_BYTES));
    }
}
