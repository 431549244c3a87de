package io.rasterflow.model.aim;

import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;

/** The k-means centroids that token targets are taken from: tensor {@code codebook} (L, V) of a safetensors file. */
final class Codebook {
    private static final String NAME = "codebook";

    private Codebook() {}

    /**
     * @param values V values of a patch
     * @throws IllegalArgumentException if the file holds another number or size of centroids
     */
    static Tensor read(Objective objective, int values) {
        Path file = Path.of(objective.codebook());
        Tensor centroids;
        try {
            centroids = Safetensors.read(file).tensor(NAME);
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "model.objective.codebook " + file + " cannot be read: " + e.getMessage(), e);
        }
        long[] expected = {objective.vocabulary(), values};
        if (!Arrays.equals(centroids.shape(), expected)) {
            throw new IllegalArgumentException("the codebook " + file + " has shape "
                    + Arrays.toString(centroids.shape()) + " but model.objective.vocabulary and the patch size ask for "
                    + Arrays.toString(expected));
        }
        return centroids;
    }
}
