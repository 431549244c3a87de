package io.rasterflow.streams.augment;

import io.rasterflow.streams.decode.Pixels;
import java.util.Arrays;

/**
 * Antialiased bicubic resampling of 8-bit images, value for value as Pillow's {@code resize(…, BICUBIC, box=…)}: columns
 * first, rounded to 8 bits, then rows. Keeps its working memory; confined to one thread at a time.
 *
 * <p>Both passes are sums of weighted lines of the input. The loops over a line are written such that the compiler makes
 * vector instructions of them: 32-bit values, one array per line, no branches. For that the image is turned by 90° first,
 * some rows at a time.
 *
 * <p>H rows, W columns, C channels.
 */
public final class BicubicResampler {

    private static final int CACHED_INPUTS = 1024;
    private static final int HALF = 1 << (Taps.FRACTION_BITS - 1);
    private static final int ROWS_AT_ONCE = 64;

    /** Values of lines that are kept for the next image: more are given back. */
    private static final int KEPT_VALUES = 1 << 22;

    /** Columns that are turned at once: few enough that a cache line of each row is read only once. */
    private static final int TURNED_COLUMNS = 16;

    /** Taps for whole inputs of up to 1,024 pixels, by their length, for the last output length. */
    private final Taps[] cached = new Taps[CACHED_INPUTS + 1];

    private int cachedOutputs;

    /** Some rows of the input as columns: (W, rows·C). */
    private int[][] columns = new int[0][0];

    /** All rows with their final width: (H, outWidth·C). */
    private int[][] rows = new int[0][0];

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

    private void resample(Pixels image, CropBox crop, Taps across, Taps down, Pixels into) {
        int channels = image.channels();
        int width = across.outputs() * channels;
        int atOnce = Math.min(ROWS_AT_ONCE, crop.height());
        columns = room(columns, crop.width(), atOnce * channels);
        rows = room(rows, crop.height(), width);
        if (sums.length < Math.max(width, atOnce * channels)) {
            sums = new int[Math.max(width, atOnce * channels)];
        }
        for (int y = 0; y < crop.height(); y += atOnce) {
            int count = Math.min(atOnce, crop.height() - y);
            turn(image, crop.left(), crop.top() + y, crop.width(), count);
            for (int x = 0; x < across.outputs(); x++) {
                weigh(columns, across, x, count * channels);
                turnBack(x, y, count, channels);
            }
        }
        into.reset(across.outputs(), down.outputs(), channels);
        byte[] out = into.values();
        for (int y = 0; y < down.outputs(); y++) {
            weigh(rows, down, y, width);
            int to = y * width;
            for (int x = 0; x < width; x++) {
                out[to + x] = (byte) sums[x];
            }
        }
        columns = kept(columns);
        rows = kept(rows);
    }

    private static int[][] kept(int[][] lines) {
        return (long) lines.length * lines[0].length > KEPT_VALUES ? new int[0][0] : lines;
    }

    private static int[][] room(int[][] lines, int count, int length) {
        if (lines.length >= count && lines[0].length >= length) {
            return lines;
        }
        return new int[Math.max(count, lines.length)][lines.length == 0 ? length : Math.max(length, lines[0].length)];
    }

    /** Rows of the image to columns. */
    private void turn(Pixels image, int left, int top, int width, int count) {
        int channels = image.channels();
        byte[] in = image.values();
        for (int first = 0; first < width; first += TURNED_COLUMNS) {
            int end = Math.min(width, first + TURNED_COLUMNS);
            for (int y = 0; y < count; y++) {
                int from = ((top + y) * image.width() + left + first) * channels;
                int to = y * channels;
                if (channels == 3) {
                    for (int x = first; x < end; x++) {
                        int[] column = columns[x];
                        column[to] = in[from] & 0xFF;
                        column[to + 1] = in[from + 1] & 0xFF;
                        column[to + 2] = in[from + 2] & 0xFF;
                        from += 3;
                    }
                } else {
                    for (int x = first; x < end; x++) {
                        columns[x][to] = in[from++] & 0xFF;
                    }
                }
            }
        }
    }

    /** The sums, a column of the output, to rows. */
    private void turnBack(int x, int top, int count, int channels) {
        int to = x * channels;
        int from = 0;
        for (int y = 0; y < count; y++) {
            int[] row = rows[top + y];
            row[to] = sums[from];
            if (channels == 3) {
                row[to + 1] = sums[from + 1];
                row[to + 2] = sums[from + 2];
            }
            from += channels;
        }
    }

    /** The weighted sum of the lines that an output takes, rounded to 0 … 255. */
    private void weigh(int[][] lines, Taps taps, int output, int length) {
        int[] weights = taps.weights();
        int at = taps.weightsAt(output);
        int line = taps.first(output);
        int end = line + taps.count(output);
        Arrays.fill(sums, 0, length, HALF);
        for (; line + 4 <= end; line += 4, at += 4) {
            add(
                    lines[line],
                    weights[at],
                    lines[line + 1],
                    weights[at + 1],
                    lines[line + 2],
                    weights[at + 2],
                    lines[line + 3],
                    weights[at + 3],
                    sums,
                    length);
        }
        for (; line < end; line++, at++) {
            add(lines[line], weights[at], sums, length);
        }
        round(sums, length);
    }

    private static void add(int[] a, int weight, int[] sums, int length) {
        for (int i = 0; i < length; i++) {
            sums[i] += a[i] * weight;
        }
    }

    private static void add(
            int[] a, int forA, int[] b, int forB, int[] c, int forC, int[] d, int forD, int[] sums, int length) {
        for (int i = 0; i < length; i++) {
            sums[i] += a[i] * forA + b[i] * forB + c[i] * forC + d[i] * forD;
        }
    }

    /** To whole numbers, clipped to 0 … 255 by their sign bits. */
    private static void round(int[] sums, int length) {
        for (int i = 0; i < length; i++) {
            int value = sums[i] >> Taps.FRACTION_BITS;
            value &= ~(value >> 31);
            sums[i] = (value | (255 - value) >> 31) & 255;
        }
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
