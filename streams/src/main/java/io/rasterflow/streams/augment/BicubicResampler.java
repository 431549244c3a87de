package io.rasterflow.streams.augment;

import io.rasterflow.streams.decode.Pixels;
import java.util.Arrays;

/**
 * Antialiased bicubic resampling of 8-bit images, value for value as Pillow's {@code resize(…, BICUBIC, box=…)}: columns
 * first, rounded to 8 bits, then rows. Keeps its working memory; confined to one thread at a time.
 *
 * <p>H rows, W columns, C channels.
 */
public final class BicubicResampler {

    private static final int CACHED_INPUTS = 1024;
    private static final int HALF = 1 << (Taps.FRACTION_BITS - 1);

    /** Taps for whole inputs of up to 1,024 pixels, by their length, for the last output length. */
    private final Taps[] cached = new Taps[CACHED_INPUTS + 1];

    private int cachedOutputs;
    private byte[] rows = new byte[0];
    private int[] sums = new int[0];

    /**
     * Resamples a crop; pixels outside of it do not count, as if it had been cut out first.
     *
     * @param into becomes (outHeight, outWidth, C)
     */
    public void resample(Pixels image, CropBox crop, int outWidth, int outHeight, Pixels into) {
        resample(image, crop, taps(crop.width(), outWidth), taps(crop.height(), outHeight), into);
    }

    /**
     * Resamples a box whose edges may lie between pixels; pixels around it count where the kernel reaches them.
     *
     * @param into becomes (outHeight, outWidth, C)
     */
    public void resample(
            Pixels image,
            double left,
            double top,
            double right,
            double bottom,
            int outWidth,
            int outHeight,
            Pixels into) {
        if (!(left >= 0
                && top >= 0
                && right > left
                && bottom > top
                && right <= image.width()
                && bottom <= image.height())) {
            throw new IllegalArgumentException("box (" + left + ", " + top + ", " + right + ", " + bottom
                    + ") does not lie in an image of " + image.width() + "x" + image.height());
        }
        resample(
                image,
                new CropBox(0, 0, image.width(), image.height()),
                new Taps(image.width(), left, right, outWidth),
                new Taps(image.height(), top, bottom, outHeight),
                into);
    }

    private void resample(Pixels image, CropBox crop, Taps columns, Taps lines, Pixels into) {
        int channels = image.channels();
        int outRow = columns.outputs() * channels;
        int needed = Math.multiplyExact(crop.height(), outRow);
        if (rows.length < needed) {
            rows = new byte[needed];
        }
        int imageRow = image.width() * channels;
        for (int y = 0; y < crop.height(); y++) {
            int from = (crop.top() + y) * imageRow + crop.left() * channels;
            resampleRow(image.values(), from, channels, columns, rows, y * outRow);
        }
        into.reset(columns.outputs(), lines.outputs(), channels);
        resampleColumns(outRow, lines, into.values());
    }

    private static void resampleRow(byte[] in, int from, int channels, Taps taps, byte[] out, int to) {
        int[] weights = taps.weights();
        for (int x = 0; x < taps.outputs(); x++) {
            int at = taps.weightsAt(x);
            int count = taps.count(x);
            for (int c = 0; c < channels; c++) {
                int input = from + taps.first(x) * channels + c;
                int sum = HALF;
                for (int k = 0; k < count; k++) {
                    sum += (in[input] & 0xFF) * weights[at + k];
                    input += channels;
                }
                out[to + x * channels + c] = clip(sum);
            }
        }
    }

    /** Whole rows at a time, so that the inner loop runs over consecutive bytes and can be vectorised. */
    private void resampleColumns(int row, Taps taps, byte[] out) {
        if (sums.length < row) {
            sums = new int[row];
        }
        int[] weights = taps.weights();
        for (int y = 0; y < taps.outputs(); y++) {
            Arrays.fill(sums, 0, row, HALF);
            for (int k = 0; k < taps.count(y); k++) {
                accumulate(rows, (taps.first(y) + k) * row, weights[taps.weightsAt(y) + k], sums, row);
            }
            for (int x = 0; x < row; x++) {
                out[y * row + x] = clip(sums[x]);
            }
        }
    }

    private static void accumulate(byte[] in, int from, int weight, int[] sums, int length) {
        for (int x = 0; x < length; x++) {
            sums[x] += (in[from + x] & 0xFF) * weight;
        }
    }

    private static byte clip(int sum) {
        return (byte) Math.max(0, Math.min(255, sum >> Taps.FRACTION_BITS));
    }

    private Taps taps(int inputs, int outputs) {
        if (inputs > CACHED_INPUTS) {
            return new Taps(inputs, 0, inputs, outputs);
        }
        if (outputs != cachedOutputs) {
            Arrays.fill(cached, null);
            cachedOutputs = outputs;
        }
        if (cached[inputs] == null) {
            cached[inputs] = new Taps(inputs, 0, inputs, outputs);
        }
        return cached[inputs];
    }
}
