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

    private static final int FIRST_BYTES = 32;

    /** The first bytes of a sample as they are shown. */
    public static String firstBytes(byte[] bytes) {
        return HexFormat.of().formatHex(bytes, 0, Math.min(bytes.length, FIRST_BYTES));
    }
}
