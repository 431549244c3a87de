package io.rasterflow.streams.pack;

import java.nio.ByteBuffer;

/** A set of 128-bit hashes: 24 to 48 bytes each, where a set of objects would take hundreds. */
final class HashSet128 {

    private static final int MAX_LONGS = 1 << 30;

    /** Two values for each place; a place of zeros is free. The number of places is a power of two. */
    private long[] values = new long[1 << 11];

    private long count;

    /**
     * Adds the first 16 bytes of a hash.
     *
     * @return whether it was new
     */
    boolean add(byte[] hash) {
        ByteBuffer buffer = ByteBuffer.wrap(hash);
        return add(buffer.getLong(), buffer.getLong());
    }

    boolean add(long high, long low) {
        if (3 * (count + 1) > values.length) { // two thirds of the places
            grow();
        }
        int at = find(values, high, low);
        if (values[at] != 0 || values[at + 1] != 0) {
            return false;
        }
        values[at] = high;
        values[at + 1] = low;
        count++;
        return true;
    }

    /** Where a hash is or would be. */
    private static int find(long[] values, long high, long low) {
        int at = 2 * (int) (high & (values.length / 2 - 1));
        while ((values[at] != 0 || values[at + 1] != 0) && (values[at] != high || values[at + 1] != low)) {
            at = (at + 2) & (values.length - 1);
        }
        return at;
    }

    private void grow() {
        if (values.length >= MAX_LONGS) {
            throw new IllegalStateException(
                    count + " hashes are more than can be held in memory; take the data in parts");
        }
        long[] larger = new long[2 * values.length];
        for (int i = 0; i < values.length; i += 2) {
            if (values[i] != 0 || values[i + 1] != 0) {
                int at = find(larger, values[i], values[i + 1]);
                larger[at] = values[i];
                larger[at + 1] = values[i + 1];
            }
        }
        values = larger;
    }
}
