package io.rasterflow.streams.augment;

/**
 * Colour jitter of training images, as torchvision's {@code RandomApply([ColorJitter(…)], p)}. Grey images have brightness and
 * contrast alone.
 *
 * @param probability that an image is jittered at all; 0 is off
 * @param brightness factor uniform in [max(0, 1-b), 1+b]
 * @param contrast likewise
 * @param saturation likewise
 * @param hue shift uniform in [-h, h] of a whole turn, at most 0.5
 */
public record JitterConfig(double probability, double brightness, double contrast, double saturation, double hue) {

    /** No jitter. */
    public static final JitterConfig OFF = new JitterConfig(0, 0, 0, 0, 0);

    public JitterConfig {
        require(
                probability >= 0 && probability <= 1,
                "data.augment.jitter.probability must be between 0 and 1 but is " + probability);
        strength("brightness", brightness);
        strength("contrast", contrast);
        strength("saturation", saturation);
        require(hue >= 0 && hue <= 0.5, "data.augment.jitter.hue must be between 0 and 0.5 but is " + hue);
    }

    private static void strength(String key, double value) {
        require(
                value >= 0 && Double.isFinite(value),
                "data.augment.jitter." + key + " must be a number of at least 0 but is " + value);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
