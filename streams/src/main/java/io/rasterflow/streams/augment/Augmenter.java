package io.rasterflow.streams.augment;

import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.order.CounterRandom;
import java.nio.ByteBuffer;

/**
 * Turns decoded images into normalised (C, H, W) float32 planes. What it does to an image is a pure function of the image
 * and the generator. Keeps its working memory; confined to one thread at a time.
 */
public final class Augmenter {

    /** Draw number of the key that goes out with the sample. */
    public static final int KEY_DRAW = 0;

    private static final int FLIP_DRAW = 1;
    private static final int CROP_DRAW = 2;
    private static final int JITTER_DRAW = 64;
    private static final int MAX_RESIZED = 1 << 16;

    private final AugmentConfig config;
    private final BicubicResampler resampler = new BicubicResampler();
    private final ColorJitter jitter = new ColorJitter();
    private final Pixels resampled = new Pixels();
    private final float[] planes;
    private final float[][] normalised;

    public Augmenter(AugmentConfig config) {
        this.config = config;
        this.planes = new float[config.imageValues()];
        this.normalised = new float[config.channels()][256];
        for (int c = 0; c < config.channels(); c++) {
            float mean = config.mean().get(c).floatValue();
            float std = config.std().get(c).floatValue();
            for (int value = 0; value < 256; value++) {
                normalised[c][value] = (value / 255f - mean) / std;
            }
        }
    }

    /**
     * Random resized crop, flip, colour jitter, normalise.
     *
     * @param target direct, native order; receives C·H·W float32 values from byte {@code at} on
     */
    public void training(Pixels image, CounterRandom random, ByteBuffer target, int at) {
        CropBox crop = CropBox.random(image.width(), image.height(), config, random, CROP_DRAW);
        boolean flip = random.uniform(FLIP_DRAW) < config.flip();
        boolean jittered = ColorJitter.drawn(config.jitter(), random, JITTER_DRAW);
        int size = config.size();
        if (crop.width() != size || crop.height() != size) {
            resampler.resample(image, crop, size, size, resampled);
        } else if (jittered) {
            cut(image, crop, resampled);
        } else {
            write(image, crop.left(), crop.top(), flip, target, at);
            return;
        }
        if (jittered) {
            jitter.random(resampled, config.jitter(), random, JITTER_DRAW);
        }
        write(resampled, 0, 0, flip, target, at);
    }

    private static void cut(Pixels image, CropBox crop, Pixels into) {
        int row = crop.width() * image.channels();
        into.reset(crop.width(), crop.height(), image.channels());
        for (int y = 0; y < crop.height(); y++) {
            int from = ((crop.top() + y) * image.width() + crop.left()) * image.channels();
            System.arraycopy(image.values(), from, into.values(), y * row, row);
        }
    }

    /**
     * Shorter side to {@code evalResize}, centre crop, normalise; an image that has the output size is taken as it is.
     *
     * @param target direct, native order; receives C·H·W float32 values from byte {@code at} on
     * @throws DecodeException if the image is so elongated that its longer side would pass 65,536 pixels
     */
    public void evaluation(Pixels image, ByteBuffer target, int at) throws DecodeException {
        int size = config.size();
        int width = image.width();
        int height = image.height();
        if (width == size && height == size) {
            write(image, 0, 0, false, target, at);
            return;
        }
        int shorter = Math.min(width, height);
        if ((long) config.evalResize() * Math.max(width, height) / shorter > MAX_RESIZED) {
            throw new DecodeException("an image of " + width + "x" + height + " is too elongated to be resized to "
                    + config.evalResize());
        }
        int outWidth = (int) ((long) config.evalResize() * width / shorter);
        int outHeight = (int) ((long) config.evalResize() * height / shorter);
        Pixels resized = image;
        if (shorter != config.evalResize()) {
            resampler.resample(image, new CropBox(0, 0, width, height), outWidth, outHeight, resampled);
            resized = resampled;
        }
        int left = (int) Math.rint((outWidth - size) / 2.0);
        int top = (int) Math.rint((outHeight - size) / 2.0);
        write(resized, left, top, false, target, at);
    }

    /** The window of {@code size} squared pixels at (left, top), mirrored if so drawn. */
    private void write(Pixels image, int left, int top, boolean flip, ByteBuffer target, int at) {
        int size = config.size();
        int channels = config.channels();
        byte[] values = image.values();
        int step = flip ? -channels : channels;
        for (int c = 0; c < channels; c++) {
            float[] table = normalised[c];
            for (int y = 0; y < size; y++) {
                int firstColumn = flip ? left + size - 1 : left;
                int input = ((top + y) * image.width() + firstColumn) * channels + c;
                int output = (c * size + y) * size;
                for (int x = 0; x < size; x++) {
                    planes[output + x] = table[values[input] & 0xFF];
                    input += step;
                }
            }
        }
        target.slice(at, planes.length * Float.BYTES)
                .order(target.order())
                .asFloatBuffer()
                .put(planes);
    }
}
