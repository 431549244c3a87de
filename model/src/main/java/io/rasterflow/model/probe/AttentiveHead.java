package io.rasterflow.model.probe;

import java.util.Map;
import java.util.SplittableRandom;

/**
 * The attentive probe (arXiv 2401.08541, section 4.2): batch normalisation, attention with one learned query, linear
 * classifier; F = D + 2·D² + L·D parameters: query, keys, values, classifier.
 *
 * @param dim D
 * @param heads as the trunk's
 * @param classes L
 */
public record AttentiveHead(int dim, int heads, int classes) implements Head {
    private static final double QUERY_DEVIATION = 0.02;

    @Override
    public Map.Entry<String, String> program() {
        return Map.entry("attentive", "AttentiveProbe");
    }

    @Override
    public Map<String, Object> attributes() {
        return Map.of("heads", heads);
    }

    @Override
    public boolean pooled() {
        return false;
    }

    /** The query normal with deviation 0.02, linears uniform within ±1/√D. */
    @Override
    public float[] initialWeights(SplittableRandom random) {
        float[] weights = new float[dim + 2 * dim * dim + classes * dim];
        for (int i = 0; i < dim; i++) {
            // Box-Muller by hand: the gaussian of java.util.random is not fixed across Java versions.
            double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - Draws.unit(random)));
            weights[i] = (float) (QUERY_DEVIATION * radius * StrictMath.cos(2 * StrictMath.PI * Draws.unit(random)));
        }
        Draws.uniform(random, weights, dim, weights.length, 1 / Math.sqrt(dim));
        return weights;
    }
}
