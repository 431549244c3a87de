package io.rasterflow.model.probe;

import java.util.Map;
import java.util.SplittableRandom;

/**
 * The linear probe: batch normalisation without scale and shift, one linear layer with bias; F = L·D + L parameters.
 *
 * @param dim D
 * @param classes L
 */
public record LinearHead(int dim, int classes) implements Head {

    @Override
    public Map.Entry<String, String> program() {
        return Map.entry("linear", "LinearProbe");
    }

    @Override
    public Map<String, Object> attributes() {
        return Map.of();
    }

    @Override
    public boolean pooled() {
        return true;
    }

    /** The weight uniform within ±0.1/√D, the bias zero. */
    @Override
    public float[] initialWeights(SplittableRandom random) {
        float[] weights = new float[classes * dim + classes];
        Draws.uniform(random, weights, 0, classes * dim, 0.1 / Math.sqrt(dim));
        return weights;
    }
}
