package io.rasterflow.streams.order;

/**
 * A permutation of 0 … n-1 chosen by a key, evaluated one element at a time in O(1) memory.
 *
 * <p>A balanced Feistel network permutes the smallest domain of 2^(2b) values that holds n; values that fall outside are
 * permuted again until they fall inside (cycle walking, Black and Rogaway 2002), on average fewer than four times.
 */
public final class KeyedPermutation {

    private static final int ROUNDS = 8;

    private final long n;
    private final int halfBits;
    private final long halfMask;
    private final long[] roundKeys = new long[ROUNDS];

    /**
     * @param n number of elements, 1 … 2^62
     * @param key any value; another key gives another order
     */
    public KeyedPermutation(long n, long key) {
        if (n < 1 || n > 1L << 62) {
            throw new IllegalArgumentException("n must be between 1 and 2^62 but is " + n);
        }
        this.n = n;
        int bits = Math.max(2, 64 - Long.numberOfLeadingZeros(n - 1));
        this.halfBits = (bits + 1) / 2;
        this.halfMask = (1L << halfBits) - 1;
        for (int r = 0; r < ROUNDS; r++) {
            roundKeys[r] = Mix.absorb(key, r);
        }
    }

    /** Number of elements. */
    public long size() {
        return n;
    }

    /**
     * The element at {@code index}.
     *
     * @throws IndexOutOfBoundsException unless 0 ≤ index &lt; n
     */
    public long apply(long index) {
        if (index < 0 || index >= n) {
            throw new IndexOutOfBoundsException("index " + index + " of a permutation of " + n);
        }
        long value = index;
        do {
            value = permuteDomain(value);
        } while (value >= n);
        return value;
    }

    private long permuteDomain(long value) {
        long left = value >>> halfBits;
        long right = value & halfMask;
        for (long roundKey : roundKeys) {
            long next = left ^ (Mix.mix(right * Mix.GOLDEN + roundKey) >>> 7 & halfMask);
            left = right;
            right = next;
        }
        return left << halfBits | right;
    }
}
