package io.rasterflow.streams.augment;

/** Takes the rows of a resampled image. */
interface Rows {

    /** Values that {@link #tenBits} can have. */
    int TEN_BITS = 1 << (Integer.SIZE - Taps.FRACTION_BITS);

    /**
     * One row, from top to bottom.
     *
     * @param sums (C, W) values with {@link Taps#FRACTION_BITS} fractional bits, not yet clipped; only read during the call
     */
    void row(int y, int[] sums);

    /** The whole part of a sum as an index: 0 … 511 for themselves, negative ones from 512 on. */
    static int tenBits(int sum) {
        return sum >>> Taps.FRACTION_BITS;
    }

    /** What an index of {@link #tenBits} is after clipping to 0 … 255. */
    static int clipped(int tenBits) {
        return tenBits >= TEN_BITS / 2 ? 0 : Math.min(tenBits, 255);
    }
}
