package io.rasterflow.streams.augment;

import io.rasterflow.streams.order.CounterRandom;

/**
 * A rectangle of whole pixels.
 *
 * @param left first column
 * @param top first row
 */
public record CropBox(int left, int top, int width, int height) {

    private static final int TRIES = 10;
    private static final int DRAWS_PER_TRY = 4;
    private static final int MOST_REDUCED = 8;

    /**
     * Draws a crop as torchvision's RandomResizedCrop does: an area uniform in [scaleMin, scaleMax] of the image, an aspect
     * ratio log-uniform in [ratioMin, ratioMax]; after ten crops that do not fit, the largest centred crop of an allowed
     * ratio.
     *
     * @param firstDraw the crop uses the draws from here to {@code firstDraw + 39}
     */
    public static CropBox random(int width, int height, AugmentConfig config, CounterRandom random, int firstDraw) {
        double area = (double) width * height;
        // StrictMath: the JIT may replace Math.exp and Math.log by versions that differ in the last bit.
        double logMin = StrictMath.log(config.ratioMin());
        double logMax = StrictMath.log(config.ratioMax());
        for (int t = 0; t < TRIES; t++) {
            int draw = firstDraw + DRAWS_PER_TRY * t;
            double target = area * random.uniform(draw, config.scaleMin(), config.scaleMax());
            double ratio = StrictMath.exp(random.uniform(draw + 1, logMin, logMax));
            int w = (int) Math.rint(Math.sqrt(target * ratio));
            int h = (int) Math.rint(Math.sqrt(target / ratio));
            if (w > 0 && w <= width && h > 0 && h <= height) {
                int top = (int) random.below(draw + 2, height - h + 1);
                int left = (int) random.below(draw + 3, width - w + 1);
                return new CropBox(left, top, w, h);
            }
        }
        return central(width, height, config);
    }

    static CropBox whole(int width, int height) {
        return new CropBox(0, 0, width, height);
    }

    /** First row below the crop. */
    public int bottom() {
        return top + height;
    }

    /**
     * By how much an image may be reduced, 1, 2, 4 or 8 pixels to one, before this crop of it is resampled to {@code outputs}
     * pixels: at least two remain for each, so that the reduction hardly shows.
     */
    int reduction(int outputs) {
        int reduction = 1;
        while (reduction < MOST_REDUCED && Math.min(width, height) / (4 * reduction) >= outputs) {
            reduction *= 2;
        }
        return reduction;
    }

    private static CropBox central(int width, int height, AugmentConfig config) {
        double ratio = (double) width / height;
        int w = width;
        int h = height;
        if (ratio < config.ratioMin()) {
            h = Math.max(1, Math.min(height, (int) Math.rint(w / config.ratioMin())));
        } else if (ratio > config.ratioMax()) {
            w = Math.max(1, Math.min(width, (int) Math.rint(h * config.ratioMax())));
        }
        return new CropBox((width - w) / 2, (height - h) / 2, w, h);
    }
}
