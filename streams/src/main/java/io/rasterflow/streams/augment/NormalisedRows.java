package io.rasterflow.streams.augment;

import io.rasterflow.streams.decode.Pixels;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** Writes a window of an image as normalised (C, H, W) float32 planes, straight into a batch. */
final class NormalisedRows implements Rows {

    private final int size;
    private final int channels;

    /** (C, 1024): the normalised value of each channel by the ten bits of a sum, clipped. */
    private final float[][] byTenBits;

    private final float[] line;
    private FloatBuffer planes;
    private int left;
    private int top;
    private int stride;

    NormalisedRows(AugmentConfig config) {
        this.size = config.size();
        this.channels = config.channels();
        this.line = new float[size];
        this.byTenBits = new float[channels][TEN_BITS];
        for (int c = 0; c < channels; c++) {
            float mean = config.mean().get(c).floatValue();
            float std = config.std().get(c).floatValue();
            for (int i = 0; i < TEN_BITS; i++) {
                byTenBits[c][i] = (Rows.clipped(i) / 255f - mean) / std;
            }
        }
    }

    /**
     * The rows to come are of an image that is {@code width} pixels wide, and their window begins at (left, top).
     *
     * @param target direct, native order; receives C·H·W float32 values from byte {@code at} on
     */
    Rows into(ByteBuffer target, int at, int width, int left, int top) {
        this.planes = planes(target, at);
        this.stride = width;
        this.left = left;
        this.top = top;
        return this;
    }

    @Override
    public void row(int y, int[] sums) {
        if (y < top || y >= top + size) {
            return;
        }
        for (int c = 0; c < channels; c++) {
            float[] table = byTenBits[c];
            int from = c * stride + left;
            for (int x = 0; x < size; x++) {
                line[x] = table[Rows.tenBits(sums[from + x])];
            }
            planes.put((c * size + y - top) * size, line);
        }
    }

    /** The window of an image, mirrored if so wanted. */
    void write(Pixels image, int left, int top, boolean mirrored, ByteBuffer target, int at) {
        FloatBuffer planes = planes(target, at);
        byte[] values = image.values();
        int step = mirrored ? -channels : channels;
        int firstColumn = mirrored ? left + size - 1 : left;
        for (int c = 0; c < channels; c++) {
            float[] table = byTenBits[c];
            for (int y = 0; y < size; y++) {
                int from = ((top + y) * image.width() + firstColumn) * channels + c;
                for (int x = 0; x < size; x++) {
                    line[x] = table[values[from] & 255];
                    from += step;
                }
                planes.put((c * size + y) * size, line);
            }
        }
    }

    private FloatBuffer planes(ByteBuffer target, int at) {
        return target.slice(at, channels * size * size * Float.BYTES)
                .order(target.order())
                .asFloatBuffer();
    }
}
