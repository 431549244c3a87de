package io.rasterflow.streams.augment;

import io.rasterflow.streams.decode.Pixels;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Antialiased bicubic resampling of 8-bit images, value for value as Pillow's {@code resize(…, BICUBIC, box=…)}: columns
 * first, rounded to 8 bits, then rows (which Pillow exchanges where an image is over 100 times as tall as wide). Keeps its
 * working memory; confined to one thread at a time.
 *
 * <p>Both passes are sums of weighted {@link Lines} of the input, so the image is turned by 90° before the first pass and
 * back after it. Turning cannot be vectorised; therefore pixels are turned as a whole, the bytes of their channels packed into
 * one 32-bit value, and taken apart again line by line, shortly before these lines are weighed:
 *
 * <pre>
 *   image (H, W, C) bytes → columns (W, H) packed → window of lines (H), a channel at a time
 *     → weigh, clip → turned (outWidth, H) packed → rows (H, outWidth) packed → window of lines (C·outWidth)
 *     → weigh → Rows (outHeight, C·outWidth) sums
 * </pre>
 *
 * <p>H rows, of which at most {@link #ROWS_AT_ONCE} are turned at once, W columns, C channels.
 */
public final class BicubicResampler {

    private static final int CACHED_INPUTS = 1024;
    private static final int ROWS_AT_ONCE = 512;

    /** Rows of which the cache lines stay in the first-level cache while a few columns after the other are turned. */
    private static final int TURNED_ROWS = 64;

    private static final int TURNED_COLUMNS = 4;
    private static final int TURNED_BACK_COLUMNS = 8;

    /** Values of lines that are kept for the next image: more are given back. */
    private static final int KEPT_VALUES = 1 << 22;

    private static final VarHandle BYTES_AS_INTS =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
    private static final byte[] CLIPPED = new byte[Rows.TEN_BITS];

    static {
        for (int i = 0; i < CLIPPED.length; i++) {
            CLIPPED[i] = (byte) Rows.clipped(i);
        }
    }

    /** Taps for whole inputs of up to 1,024 pixels, by their length, for the last output length. */
    private final Taps[] cached = new Taps[CACHED_INPUTS + 1];

    private final SmallResampler small = new SmallResampler();
    private int cachedOutputs;
    private int[][] columns = new int[0][0];
    private int[][] turned = new int[0][0];
    private int[] rows = new int[0];
    private int[][] columnWindow = new int[0][0];
    private int[][] rowWindow = new int[0][0];
    private int[] sums = new int[0];

    /**
     * Resamples a crop; pixels outside of it do not count, as if it had been cut out first.
     *
     * @param into becomes (outHeight, outWidth, C)
     */
    public void resample(Pixels image, CropBox crop, int outWidth, int outHeight, Pixels into) {
        resample(image, crop, 1, outWidth, outHeight, into);
    }

    /** The same, of an image that was reduced before by a whole factor, {@code crop} being as it was before that. */
    void resample(Pixels image, CropBox crop, int reduction, int outWidth, int outHeight, Pixels into) {
        Rows rows = rowsOf(into.reset(outWidth, outHeight, image.channels()));
        resample(image, crop, reduction, outWidth, outHeight, false, rows);
    }

    /** The same, row by row, and left and right exchanged if so wanted. */
    void resample(Pixels image, CropBox crop, int reduction, int outWidth, int outHeight, boolean mirrored, Rows out) {
        if (reduction == 1) {
            resample(image, crop, taps(crop.width(), outWidth), taps(crop.height(), outHeight), mirrored, out);
            return;
        }
        int left = crop.left() / reduction;
        int top = crop.top() / reduction;
        double scale = 1.0 / reduction;
        int width = (int) Math.ceil((crop.left() + crop.width()) * scale) - left;
        int height = (int) Math.ceil(crop.bottom() * scale) - top;
        resample(
                image,
                new CropBox(left, top, width, height),
                new Taps(width, crop.left() * scale - left, (crop.left() + crop.width()) * scale - left, outWidth),
                new Taps(height, crop.top() * scale - top, crop.bottom() * scale - top, outHeight),
                mirrored,
                out);
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
                CropBox.whole(image.width(), image.height()),
                new Taps(image.width(), left, right, outWidth),
                new Taps(image.height(), top, bottom, outHeight),
                false,
                rowsOf(into.reset(outWidth, outHeight, image.channels())));
    }

    private static Rows rowsOf(Pixels into) {
        byte[] values = into.values();
        int width = into.width();
        int channels = into.channels();
        return (y, sums) -> {
            for (int c = 0; c < channels; c++) {
                int to = y * width * channels + c;
                for (int from = c * width; from < (c + 1) * width; from++) {
                    values[to] = CLIPPED[Rows.tenBits(sums[from])];
                    to += channels;
                }
            }
        };
    }

    private void resample(Pixels image, CropBox crop, Taps across, Taps down, boolean mirrored, Rows out) {
        if (SmallResampler.takes(crop, across, down)) {
            small.resample(image, crop, across, down, mirrored, out);
            return;
        }
        int channels = image.channels();
        int width = across.outputs();
        int atOnce = Math.min(ROWS_AT_ONCE, crop.height());
        columns = room(columns, crop.width(), atOnce);
        columnWindow = room(columnWindow, powerOfTwo(across.width()), atOnce);
        turned = room(turned, width, atOnce);
        if (rows.length < crop.height() * width) {
            rows = new int[crop.height() * width];
        }
        rowWindow = room(rowWindow, powerOfTwo(down.width()), channels * width);
        if (sums.length < Math.max(atOnce, channels * width)) {
            sums = new int[Math.max(atOnce, channels * width)];
        }
        for (int y = 0; y < crop.height(); y += atOnce) {
            int count = Math.min(atOnce, crop.height() - y);
            turn(image, crop.left(), crop.top() + y, crop.width(), count);
            for (int c = 0; c < channels; c++) {
                weighColumns(across, c, count, mirrored);
            }
            turnBack(width, y, count);
        }
        weighRows(down, channels, width, out);
        columns = kept(columns);
        columnWindow = kept(columnWindow);
        turned = kept(turned);
        if (rows.length > KEPT_VALUES) {
            rows = new int[0];
        }
        rowWindow = kept(rowWindow);
    }

    private static int[][] kept(int[][] lines) {
        return (long) lines.length * lines[0].length > KEPT_VALUES ? new int[0][0] : lines;
    }

    private static int[][] room(int[][] lines, int count, int length) {
        if (lines.length >= count && lines[0].length >= length) {
            return lines;
        }
        int most = Math.max(count, lines.length);
        int longest = lines.length == 0 ? length : Math.max(length, lines[0].length);
        // After a tall image, a wide one must not have as many lines as the tall one had.
        return (long) most * longest > KEPT_VALUES ? new int[count][length] : new int[most][longest];
    }

    /** The smallest power of two that is not below a number. */
    private static int powerOfTwo(int number) {
        return Integer.highestOneBit(2 * number - 1);
    }

    /** Rows of the image to columns. */
    private void turn(Pixels image, int left, int top, int width, int count) {
        int channels = image.channels();
        int stride = image.width() * channels;
        // Four bytes are read for three: the image's last pixel has no fourth.
        int inFours = channels == 3 ? Math.min(width, image.width() - 1 - left) / TURNED_COLUMNS * TURNED_COLUMNS : 0;
        for (int first = 0; first < count; first += TURNED_ROWS) {
            int end = Math.min(count, first + TURNED_ROWS);
            int from = ((top + first) * image.width() + left) * channels;
            for (int x = 0; x < inFours; x += TURNED_COLUMNS) {
                turnFour(image.values(), from + 3 * x, stride, x, first, end);
            }
            for (int x = inFours; x < width; x++) {
                turnOne(image.values(), from + channels * x, stride, channels, columns[x], first, end);
            }
        }
    }

    private void turnFour(byte[] in, int from, int stride, int x, int first, int end) {
        int[] a = columns[x];
        int[] b = columns[x + 1];
        int[] c = columns[x + 2];
        int[] d = columns[x + 3];
        int at = from;
        for (int y = first; y < end; y++) {
            a[y] = (int) BYTES_AS_INTS.get(in, at);
            b[y] = (int) BYTES_AS_INTS.get(in, at + 3);
            c[y] = (int) BYTES_AS_INTS.get(in, at + 6);
            d[y] = (int) BYTES_AS_INTS.get(in, at + 9);
            at += stride;
        }
    }

    private static void turnOne(byte[] in, int from, int stride, int channels, int[] column, int first, int end) {
        int at = from;
        for (int y = first; y < end; y++) {
            int pixel = in[at] & 255;
            if (channels == 3) {
                pixel |= (in[at + 1] & 255) << 8 | (in[at + 2] & 255) << 16;
            }
            column[y] = pixel;
            at += stride;
        }
    }

    /** The first pass for one channel, of {@code count} rows. */
    private void weighColumns(Taps across, int channel, int count, boolean mirrored) {
        int shift = 8 * channel;
        int outputs = across.outputs();
        int ready = across.first(0);
        for (int x = 0; x < outputs; x++) {
            for (; ready < across.end(x); ready++) {
                Lines.unpack(columns[ready], shift, columnWindow[ready & (columnWindow.length - 1)], count);
            }
            Lines.weigh(columnWindow, across, x, count, sums);
            int[] column = turned[mirrored ? outputs - 1 - x : x];
            if (channel == 0) {
                Lines.clip(sums, column, count);
            } else {
                Lines.clip(sums, sums, count);
                Lines.pack(sums, shift, column, count);
            }
        }
    }

    /** Columns of the output to rows. */
    private void turnBack(int width, int top, int count) {
        int inEights = width / TURNED_BACK_COLUMNS * TURNED_BACK_COLUMNS;
        for (int first = 0; first < count; first += TURNED_ROWS) {
            int end = Math.min(count, first + TURNED_ROWS);
            for (int x = 0; x < inEights; x += TURNED_BACK_COLUMNS) {
                turnEightBack(x, width, top, first, end);
            }
            for (int x = inEights; x < width; x++) {
                for (int y = first; y < end; y++) {
                    rows[(top + y) * width + x] = turned[x][y];
                }
            }
        }
    }

    private void turnEightBack(int x, int width, int top, int first, int end) {
        int[] a = turned[x];
        int[] b = turned[x + 1];
        int[] c = turned[x + 2];
        int[] d = turned[x + 3];
        int[] e = turned[x + 4];
        int[] f = turned[x + 5];
        int[] g = turned[x + 6];
        int[] h = turned[x + 7];
        int to = (top + first) * width + x;
        for (int y = first; y < end; y++) {
            rows[to] = a[y];
            rows[to + 1] = b[y];
            rows[to + 2] = c[y];
            rows[to + 3] = d[y];
            rows[to + 4] = e[y];
            rows[to + 5] = f[y];
            rows[to + 6] = g[y];
            rows[to + 7] = h[y];
            to += width;
        }
    }

    /** The second pass. */
    private void weighRows(Taps down, int channels, int width, Rows out) {
        int ready = down.first(0);
        for (int y = 0; y < down.outputs(); y++) {
            for (; ready < down.end(y); ready++) {
                int[] line = rowWindow[ready & (rowWindow.length - 1)];
                for (int c = 0; c < channels; c++) {
                    System.arraycopy(rows, ready * width, line, c * width, width);
                    Lines.unpack(line, 8 * c, c * width, (c + 1) * width);
                }
            }
            Lines.weigh(rowWindow, down, y, channels * width, sums);
            out.row(y, sums);
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
