package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.Exchange;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * What is behind a set of weights, as a short text: each step's hash is mixed into that of all steps before, so that equal
 * digests mean equal histories of sums, hence equal weights.
 */
public final class History {

    private static final long MIX = 0x9E3779B97F4A7C15L;

    private History() {}

    /** Of what every rank applies alike in a step: the loss and the gradient sum. */
    public static long hash(Exchange.Reduced reduced) {
        long hash = Double.doubleToLongBits(reduced.lossSum());
        for (ByteBuffer bucket : reduced.gradientSum()) {
            CRC32C crc = new CRC32C();
            crc.update(bucket.duplicate());
            hash = hash * 0x100000001B3L + crc.getValue();
        }
        return hash;
    }

    /**
     * The digest when one more step has been applied.
     *
     * @param before the digest until then, empty where nothing is behind the weights
     * @param sumHash the step's {@link #hash}
     * @param steps applied by then, this one included
     */
    public static String after(String before, long sumHash, long steps) {
        long chained = (hash(before) ^ sumHash ^ steps) * MIX;
        return String.format("%016x", chained ^ (chained >>> 29));
    }

    private static long hash(String text) {
        long hash = text.length();
        for (int i = 0; i < text.length(); i++) {
            hash = hash * 31 + text.charAt(i);
        }
        return hash * MIX;
    }
}
