package io.rasterflow.streams.curate;

import java.util.Arrays;

/**
 * 64 bits that stay much the same when an image is encoded again, scaled, brightened or cropped a little: Zauner,
 * "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), section 3.2, the hash pHash is known for.
 *
 * <p>The grey image is averaged down to 32×32, transformed by a two-dimensional DCT, and of the 8×8 coefficients of lowest
 * frequency, without those that are constant along a row or column, each gives one bit: whether it is above their median.
 * Two unrelated images differ in about 32 bits, two versions of one in a few. The same pixels give the same bits on every
 * machine. Not safe for use by several threads.
 */
public final class PerceptualHash {

    private static final int SIDE = 32;
    private static final int BITS = 8;

    /** {@code COSINES[u][x]} for the frequencies 1 … 8. StrictMath: the same bits everywhere. */
    private static final double[][] COSINES = new double[BITS][SIDE];

    /** Coefficients below this are rounding errors of an image without such a frequency. */
    private static final double NOTHING = 1e-6;

    static {
        for (int u = 0; u < BITS; u++) {
            for (int x = 0; x < SIDE; x++) {
                COSINES[u][x] = StrictMath.cos(Math.PI * (u + 1) * (2 * x + 1) / (2.0 * SIDE));
            }
        }
    }

    private final double[] small = new double[SIDE * SIDE];
    private final double[] row = new double[SIDE];
    private final double[] half = new double[BITS * SIDE];
    private final double[] coefficients = new double[BITS * BITS];

    /**
     * The hash of a grey image.
     *
     * @param grey H·W values from 0 to 255, row by row
     */
    public long of(byte[] grey, int width, int height) {
        shrink(grey, width, height);
        for (int u = 0; u < BITS; u++) {
            for (int y = 0; y < SIDE; y++) {
                double sum = 0;
                for (int x = 0; x < SIDE; x++) {
                    sum += COSINES[u][x] * small[y * SIDE + x];
                }
                half[u * SIDE + y] = sum;
            }
        }
        for (int v = 0; v < BITS; v++) {
            for (int u = 0; u < BITS; u++) {
                double sum = 0;
                for (int y = 0; y < SIDE; y++) {
                    sum += COSINES[v][y] * half[u * SIDE + y];
                }
                coefficients[v * BITS + u] = Math.abs(sum) < NOTHING ? 0 : sum;
            }
        }
        double[] sorted = coefficients.clone();
        Arrays.sort(sorted);
        double median = (sorted[BITS * BITS / 2 - 1] + sorted[BITS * BITS / 2]) / 2;
        long bits = 0;
        for (int i = 0; i < BITS * BITS; i++) {
            bits |= coefficients[i] > median ? 1L << i : 0;
        }
        return bits;
    }

    /** Means over SIDE×SIDE equal boxes, pixels on a border counting in part. */
    private void shrink(byte[] grey, int width, int height) {
        Arrays.fill(small, 0);
        for (int y = 0; y < height; y++) {
            for (int c = 0; c < SIDE; c++) {
                double from = (double) c * width / SIDE;
                double to = (double) (c + 1) * width / SIDE;
                double sum = 0;
                for (int x = (int) from; x < to; x++) {
                    sum += (Math.min(x + 1, to) - Math.max(x, from)) * (grey[y * width + x] & 0xFF);
                }
                row[c] = sum / (to - from);
            }
            double top = (double) y * SIDE / height;
            double bottom = (double) (y + 1) * SIDE / height;
            for (int r = (int) top; r < bottom && r < SIDE; r++) {
                double part = Math.min(r + 1, bottom) - Math.max(r, top);
                for (int c = 0; c < SIDE; c++) {
                    small[r * SIDE + c] += part * row[c];
                }
            }
        }
    }
}
