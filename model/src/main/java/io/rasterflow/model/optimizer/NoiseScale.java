package io.rasterflow.model.optimizer;

/**
 * The simple gradient-noise scale (arXiv 1812.06162, section 2.2 and appendix A.1): about the batch, in images, above
 * which a larger one saves hardly any steps.
 *
 * <pre>
 *   b, B   images of a micro-batch and of the global batch        g_b, g_B   their gradients of the mean loss
 *
 *   |G|²   ≈ (B |g_B|² - b |g_b|²) / (B - b)                      squared norm of the true gradient
 *   tr Σ   ≈ (|g_b|² - |g_B|²) / (1/b - 1/B)                      variance of one image's gradient
 *   scale  = tr Σ / |G|²
 * </pre>
 *
 * <p>Both estimates are free of bias but noisy, and a ratio of noisy values is not: they are averaged over about a hundred
 * finite values before they are divided. The averages begin anew when a run is resumed.
 */
public final class NoiseScale {
    private static final double DECAY = 0.99;

    private final double small;
    private final double large;
    private double signal;
    private double noise;

    /**
     * @param small images of a micro-batch; the harmonic mean where they differ
     * @param large images of the global batch, more than {@code small}
     */
    public NoiseScale(double small, double large) {
        if (!(small > 0 && large > small)) {
            throw new IllegalArgumentException(
                    "a noise scale needs 0 < small < large batch, not " + small + " and " + large);
        }
        this.small = small;
        this.large = large;
    }

    /**
     * Takes in a step.
     *
     * @param smallSquare mean of |g_b|² over the micro-batches
     * @param largeSquare |g_B|²
     * @return the estimate in images, as before if a value is not finite; NaN while the averages are not both above 0
     */
    public double add(double smallSquare, double largeSquare) {
        double signalNow = (large * largeSquare - small * smallSquare) / (large - small);
        double noiseNow = (smallSquare - largeSquare) / (1 / small - 1 / large);
        if (Double.isFinite(signalNow) && Double.isFinite(noiseNow)) {
            // Both lack the same start-up correction, which their ratio does not need.
            signal = DECAY * signal + (1 - DECAY) * signalNow;
            noise = DECAY * noise + (1 - DECAY) * noiseNow;
        }
        return signal > 0 && noise > 0 ? noise / signal : Double.NaN;
    }
}
