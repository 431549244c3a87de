package io.rasterflow.streams.augment;

import java.util.List;

/**
 * What happens to a decoded image.
 *
 * @param size side of the output in pixels
 * @param channels 1 grey or 3 RGB
 * @param scaleMin smallest part of the image area that a training crop takes
 * @param scaleMax largest part, at most 1
 * @param ratioMin smallest width / height of a training crop
 * @param ratioMax largest width / height
 * @param flip probability of a horizontal flip
 * @param evalResize shorter side after resizing for evaluation, before the centre crop; at least {@code size}
 * @param mean per channel, of values in 0 … 1
 * @param std per channel, of values in 0 … 1
 * @param jitter of the colours of training images
 */
public record AugmentConfig(
        int size,
        int channels,
        double scaleMin,
        double scaleMax,
        double ratioMin,
        double ratioMax,
        double flip,
        int evalResize,
        List<Double> mean,
        List<Double> std,
        JitterConfig jitter) {

    private static final int MAX_SIZE = 4096;

    /** Without colour jitter. */
    public AugmentConfig(
            int size,
            int channels,
            double scaleMin,
            double scaleMax,
            double ratioMin,
            double ratioMax,
            double flip,
            int evalResize,
            List<Double> mean,
            List<Double> std) {
        this(size, channels, scaleMin, scaleMax, ratioMin, ratioMax, flip, evalResize, mean, std, JitterConfig.OFF);
    }

    public AugmentConfig {
        require(
                size >= 1 && size <= MAX_SIZE,
                "data.augment.size must be between 1 and " + MAX_SIZE + " but is " + size);
        require(channels == 1 || channels == 3, "data.augment.channels must be 1 or 3 but is " + channels);
        require(
                scaleMin > 0 && scaleMin <= 1,
                "data.augment.scaleMin must be above 0 and at most 1 but is " + scaleMin);
        require(
                scaleMax >= scaleMin && scaleMax <= 1,
                "data.augment.scaleMax must be between data.augment.scaleMin (" + scaleMin + ") and 1 but is "
                        + scaleMax);
        require(
                ratioMin > 0 && Double.isFinite(ratioMin),
                "data.augment.ratioMin must be a number above 0 but is " + ratioMin);
        require(
                ratioMax >= ratioMin && Double.isFinite(ratioMax),
                "data.augment.ratioMax must be at least data.augment.ratioMin (" + ratioMin + ") but is " + ratioMax);
        require(flip >= 0 && flip <= 1, "data.augment.flip must be between 0 and 1 but is " + flip);
        require(
                evalResize >= size && evalResize <= 2 * MAX_SIZE,
                "data.augment.evalResize must be between data.augment.size (" + size + ") and " + 2 * MAX_SIZE
                        + " but is " + evalResize);
        mean = List.copyOf(mean);
        std = List.copyOf(std);
        require(mean.size() == channels, "data.augment.mean must have " + channels + " values but is " + mean);
        require(std.size() == channels, "data.augment.std must have " + channels + " values but is " + std);
        require(mean.stream().allMatch(Double::isFinite), "data.augment.mean must be finite but is " + mean);
        require(
                std.stream().allMatch(value -> value > 0 && Double.isFinite(value)),
                "data.augment.std must be above 0 but is " + std);
    }

    /** Float32 values of one output image: C·H·W. */
    public int imageValues() {
        return Math.multiplyExact(Math.multiplyExact(size, size), channels);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
