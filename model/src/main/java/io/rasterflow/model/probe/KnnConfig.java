package io.rasterflow.model.probe;

/**
 * How the nearest neighbours vote.
 *
 * @param neighbours k; all images where there are fewer
 * @param temperature a neighbour at cosine c has the weight exp(c / temperature)
 */
public record KnnConfig(int neighbours, double temperature) {
    public KnnConfig {
        if (neighbours < 1) {
            throw new IllegalArgumentException("probe.knn.neighbours must be at least 1 but is " + neighbours);
        }
        if (!(temperature >= 0.01)) {
            throw new IllegalArgumentException("probe.knn.temperature must be at least 0.01 but is " + temperature);
        }
    }
}
