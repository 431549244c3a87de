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
    private final NormalisedRows normalised;

    public Augmenter(AugmentConfig config) {
        this.config = config;
        this.normalised = new NormalisedRows(config);
    }

    /** The crop that is drawn for an image of a size; with it, only what it needs has to be decoded. */
    public CropBox trainingCrop(int width, int height, CounterRandom random) {
        return CropBox.random(width, height, config, random, CROP_DRAW);
    }

    /** By how much the image may be reduced before {@link #training}: 1, 2, 4 or 8 pixels to one. */
    public int trainingReduction(CropBox crop) {
        return crop.reduction(config.size());
    }

    /** By how much an image of a size may be reduced before {@link #evaluation}: 1, 2, 4 or 8 pixels to one. */
    public int evaluationReduction(int width, int height) {
        return CropBox.whole(width, height).reduction(config.evalResize());
    }

    /** As the other form, of the whole image. */
    public void training(Pixels image, CounterRandom random, ByteBuffer target, int at) {
        training(image, trainingCrop(image.width(), image.height(), random), 1, random, target, at);
    }

    /**
     * Resized crop, flip, colour jitter, normalise.
     *
     * @param image reduced; must have the pixels of the crop, others may be missing
     * @param crop as drawn for the image before its reduction
     * @param reduction so many pixels in a row or column became one; more than 1 only if the crop is to be made smaller
     * @param target direct, native order; receives C·H·W float32 values from byte {@code at} on
     */
    public void training(Pixels image, CropBox crop, int reduction, CounterRandom random, ByteBuffer target, int at) {
        boolean flip = random.uniform(FLIP_DRAW) < config.flip();
        boolean jittered = ColorJitter.drawn(config.jitter(), random, JITTER_DRAW);
        int size = config.size();
        boolean resized = crop.width() != size || crop.height() != size;
        if (!jittered) {
            if (resized) {
                Rows rows = normalised.into(target, at, size, 0, 0);
                resampler.resample(image, crop, reduction, size, size, flip, rows);
            } else {
                normalised.write(image, crop.left(), crop.top(), flip, target, at);
            }
            return;
        }
        if (resized) {
            resampler.resample(image, crop, reduction, size, size, resampled);
        } else {
            cut(image, crop, resampled);
        }
        jitter.random(resampled, config.jitter(), random, JITTER_DRAW);
        normalised.write(resampled, 0, 0, flip, target, at);
    }

    private static void cut(Pixels image, CropBox crop, Pixels into) {
        int row = crop.width() * image.channels();
        into.reset(crop.width(), crop.height(), image.channels());
        for (int y = 0; y < crop.height(); y++) {
            int from = ((crop.top() + y) * image.width() + crop.left()) * image.channels();
            System.arraycopy(image.values(), from, into.values(), y * row, row);
        }
    }

    /** As the other form, of the whole image. */
    public void evaluation(Pixels image, ByteBuffer target, int at) throws DecodeException {
        evaluation(image, image.width(), image.height(), 1, target, at);
    }

    /**
     * Shorter side to {@code evalResize}, centre crop, normalise; an image that has the output size is taken as it is.
     *
     * @param image reduced
     * @param width of the image before its reduction
     * @param height likewise
     * @param reduction so many pixels in a row or column became one; more than 1 only if the image is to be made smaller
     * @param target direct, native order; receives C·H·W float32 values from byte {@code at} on
     * @throws DecodeException if the image is so elongated that its longer side would pass 65,536 pixels
     */
    public void evaluation(Pixels image, int width, int height, int reduction, ByteBuffer target, int at)
            throws DecodeException {
        int size = config.size();
        if (width == size && height == size) {
            normalised.write(image, 0, 0, false, target, at);
            return;
        }
        int shorter = Math.min(width, height);
        if ((long) config.evalResize() * Math.max(width, height) / shorter > MAX_RESIZED) {
            throw new DecodeException("an image of " + width + "x" + height + " is too elongated to be resized to "
                    + config.evalResize());
        }
        int outWidth = (int) ((long) config.evalResize() * width / shorter);
        int outHeight = (int) ((long) config.evalResize() * height / shorter);
        int left = (int) Math.rint((outWidth - size) / 2.0);
        int top = (int) Math.rint((outHeight - size) / 2.0);
        if (shorter == config.evalResize()) {
            normalised.write(image, left, top, false, target, at);
        } else {
            Rows rows = normalised.into(target, at, outWidth, left, top);
            resampler.resample(image, CropBox.whole(width, height), reduction, outWidth, outHeight, false, rows);
        }
    }
}
