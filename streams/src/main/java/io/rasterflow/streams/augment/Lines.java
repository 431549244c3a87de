package io.rasterflow.streams.augment;

/**
 * Sums of weighted lines of an image, in fixed point, and what goes with them.
 *
 * <p>The compiler makes vector instructions of these loops because each has 32-bit values only, one array per line, the same
 * index everywhere, no branches and no more than about thirty operations; with an offset into an array, a conversion between
 * types or eight lines at once it does not.
 */
final class Lines {

    /** Lines that are weighed at once; the weights of an output are filled up with zeros to a multiple of it. */
    static final int AT_ONCE = 4;

    private static final int HALF = 1 << (Taps.FRACTION_BITS - 1);

    private Lines() {}

    /**
     * The weighted sum of the lines that an output takes, plus one half: {@code sum >> Taps.FRACTION_BITS} is the rounded
     * value, which may lie outside of 0 … 255.
     *
     * @param window line i of the image is {@code window[i % window.length]}; its length is a power of two and at least {@link
     *     Taps#width}. What lies behind the lines that the output takes counts with weight zero.
     */
    static void weigh(int[][] window, Taps taps, int output, int length, int[] sums) {
        int mask = window.length - 1;
        int[] weights = taps.weights();
        int at = taps.weightsAt(output);
        int line = taps.first(output);
        set(
                window[line & mask],
                weights[at],
                window[(line + 1) & mask],
                weights[at + 1],
                window[(line + 2) & mask],
                weights[at + 2],
                window[(line + 3) & mask],
                weights[at + 3],
                sums,
                length);
        int end = taps.end(output);
        for (line += AT_ONCE, at += AT_ONCE; line + 2 < end; line += AT_ONCE, at += AT_ONCE) {
            add(
                    window[line & mask],
                    weights[at],
                    window[(line + 1) & mask],
                    weights[at + 1],
                    window[(line + 2) & mask],
                    weights[at + 2],
                    window[(line + 3) & mask],
                    weights[at + 3],
                    sums,
                    length);
        }
        if (line < end) {
            add(window[line & mask], weights[at], window[(line + 1) & mask], weights[at + 1], sums, length);
        }
    }

    private static void set(
            int[] a, int forA, int[] b, int forB, int[] c, int forC, int[] d, int forD, int[] sums, int length) {
        for (int i = 0; i < length; i++) {
            sums[i] = HALF + a[i] * forA + b[i] * forB + c[i] * forC + d[i] * forD;
        }
    }

    private static void add(
            int[] a, int forA, int[] b, int forB, int[] c, int forC, int[] d, int forD, int[] sums, int length) {
        for (int i = 0; i < length; i++) {
            sums[i] += a[i] * forA + b[i] * forB + c[i] * forC + d[i] * forD;
        }
    }

    private static void add(int[] a, int forA, int[] b, int forB, int[] sums, int length) {
        for (int i = 0; i < length; i++) {
            sums[i] += a[i] * forA + b[i] * forB;
        }
    }

    /** Sums to whole numbers, clipped to 0 … 255 by their sign bits. */
    static void clip(int[] sums, int[] into, int length) {
        for (int i = 0; i < length; i++) {
            int value = sums[i] >> Taps.FRACTION_BITS;
            value &= ~value >> 31;
            into[i] = (value | (255 - value) >> 31) & 255;
        }
    }

    /** One byte of each packed pixel. */
    static void unpack(int[] packed, int shift, int[] into, int length) {
        for (int i = 0; i < length; i++) {
            into[i] = packed[i] >> shift & 255;
        }
    }

    /** The same in place, from an index to another. */
    static void unpack(int[] values, int shift, int from, int to) {
        for (int i = from; i < to; i++) {
            values[i] = values[i] >> shift & 255;
        }
    }

    /** Adds one byte, zero so far, to each packed pixel. */
    static void pack(int[] values, int shift, int[] into, int length) {
        for (int i = 0; i < length; i++) {
            into[i] |= values[i] << shift;
        }
    }
}
