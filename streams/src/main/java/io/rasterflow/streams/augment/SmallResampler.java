package io.rasterflow.streams.augment;

import io.rasterflow.streams.decode.Pixels;

/**
 * Resamples images of few pixels with the sums of {@link BicubicResampler}, which are whole numbers and so do not depend on
 * their order. Its lines would be too short for vector instructions, and most of the time would go into what is around them;
 * here nothing is turned, and the weights of an output stay in registers while a column or row is computed.
 *
 * <pre>
 *   image (H, W, C) bytes → plane (H, W) → weigh, clip → columns (C, H, outWidth) → weigh → Rows (outHeight, C·outWidth) sums
 * </pre>
 */
final class SmallResampler {

    /** Pixels of the largest images that are taken, before and after. */
    private static final int MAX_PIXELS = 1 << 11;

    private static final int HALF = 1 << (Taps.FRACTION_BITS - 1);

    private int[] plane = new int[0];
    private int[] columns = new int[0];
    private int[] sums = new int[0];

    static boolean takes(CropBox crop, Taps across, Taps down) {
        return crop.width() * (long) crop.height() <= MAX_PIXELS && across.outputs() * down.outputs() <= MAX_PIXELS;
    }

    void resample(Pixels image, CropBox crop, Taps across, Taps down, boolean mirrored, Rows out) {
        int channels = image.channels();
        int outWidth = across.outputs();
        int height = crop.height();
        // Four inputs are read at once, the last ones perhaps with weight zero: there must be something to read.
        int stride = crop.width() + Lines.AT_ONCE;
        int columnsStride = (height + Lines.AT_ONCE) * outWidth;
        plane = room(plane, height * stride);
        columns = room(columns, channels * columnsStride);
        sums = room(sums, channels * outWidth);
        for (int c = 0; c < channels; c++) {
            copy(image, c, crop, stride);
            for (int x = 0; x < outWidth; x++) {
                int to = c * columnsStride + (mirrored ? outWidth - 1 - x : x);
                weighColumn(across, x, height, stride, to, outWidth);
            }
        }
        for (int y = 0; y < down.outputs(); y++) {
            for (int c = 0; c < channels; c++) {
                weighRow(down, y, c * columnsStride, outWidth, c * outWidth);
            }
            out.row(y, sums);
        }
    }

    private static int[] room(int[] values, int needed) {
        return values.length < needed ? new int[needed] : values;
    }

    private void copy(Pixels image, int channel, CropBox crop, int stride) {
        byte[] values = image.values();
        int step = image.channels();
        for (int y = 0; y < crop.height(); y++) {
            int from = ((crop.top() + y) * image.width() + crop.left()) * step + channel;
            int to = y * stride;
            for (int x = 0; x < crop.width(); x++) {
                plane[to + x] = values[from + x * step] & 255;
            }
        }
    }

    /** One value of every row. */
    private void weighColumn(Taps across, int x, int rows, int stride, int to, int outStride) {
        int[] weights = across.weights();
        int at = across.weightsAt(x);
        int first = across.first(x);
        int count = across.end(x) - first;
        int a = weights[at];
        int b = weights[at + 1];
        int c = weights[at + 2];
        int d = weights[at + 3];
        int[] in = plane;
        int[] into = columns;
        for (int y = 0, from = first, target = to; y < rows; y++, from += stride, target += outStride) {
            int sum = HALF + in[from] * a + in[from + 1] * b + in[from + 2] * c + in[from + 3] * d;
            for (int k = Lines.AT_ONCE; k < count; k++) {
                sum += in[from + k] * weights[at + k];
            }
            int value = sum >> Taps.FRACTION_BITS;
            value &= ~value >> 31;
            into[target] = (value | (255 - value) >> 31) & 255;
        }
    }

    private void weighRow(Taps down, int y, int plane, int width, int to) {
        int[] weights = down.weights();
        int at = down.weightsAt(y);
        int count = down.end(y) - down.first(y);
        int from = plane + down.first(y) * width;
        int a = weights[at];
        int b = weights[at + 1];
        int c = weights[at + 2];
        int d = weights[at + 3];
        int[] in = columns;
        int[] into = sums;
        for (int x = 0; x < width; x++) {
            int p = from + x;
            into[to + x] = HALF + in[p] * a + in[p + width] * b + in[p + 2 * width] * c + in[p + 3 * width] * d;
        }
        for (int k = Lines.AT_ONCE; k < count; k++) {
            int weight = weights[at + k];
            for (int x = 0; x < width; x++) {
                into[to + x] += in[from + k * width + x] * weight;
            }
        }
    }
}
