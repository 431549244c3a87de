package io.rasterflow.model.codebook;

import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Tensor;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.TreeMap;

/**
 * K centroids of patches. The file is a safetensors with {@code codebook} (K, V) float32; its metadata say how the patches
 * were taken: normalised, patchSize, channels, images, seed, distortion.
 *
 * @param centroids (K, V) row-major, V values of a patch as (row, column, channel)
 * @param size K
 * @param patchSize side of a patch in pixels
 * @param channels 1 or 3
 * @param images that the patches came from
 * @param seed of the draws
 * @param distortion mean squared distance of a patch from its centroid
 */
public record Codebook(
        FloatBuffer centroids, int size, int patchSize, int channels, long images, long seed, double distortion) {

    /** The tensor in the file. */
    public static final String TENSOR = "codebook";

    /** V. */
    public int values() {
        return patchSize * patchSize * channels;
    }

    /** Writes a new file. */
    public void write(Path file) throws IOException {
        TreeMap<String, Tensor> tensors = new TreeMap<>();
        tensors.put(TENSOR, new Tensor(new long[] {size, values()}, centroids));
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("normalised", "true");
        metadata.put("patchSize", Integer.toString(patchSize));
        metadata.put("channels", Integer.toString(channels));
        metadata.put("images", Long.toString(images));
        metadata.put("seed", Long.toString(seed));
        metadata.put("distortion", Double.toString(distortion));
        Safetensors.write(file, tensors, metadata);
    }

    /**
     * Reads a file and checks that it is one of such patches.
     *
     * @param vocabulary entries that it must have, 0 for any number
     * @throws IllegalArgumentException in one line, if the file is no codebook or one of other patches
     */
    public static Codebook read(Path file, int patchSize, int channels, int vocabulary) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IllegalArgumentException("model.objective.codebook=" + file
                    + " does not exist; make it with `rasterflow codebook --size K --out FILE`");
        }
        Safetensors tensors = Safetensors.read(file);
        Tensor tensor;
        try {
            tensor = tensors.tensor(TENSOR);
        } catch (NoSuchElementException e) {
            throw new IllegalArgumentException(
                    file + " is no codebook: it has no float32 tensor " + TENSOR
                            + "; make one with `rasterflow codebook`",
                    e);
        }
        long[] shape = tensor.shape();
        if (shape.length != 2
                || shape[0] < 2
                || shape[0] > Integer.MAX_VALUE
                || shape[1] != patchSize * patchSize * channels) {
            throw new IllegalArgumentException("the codebook " + file + " has the shape "
                    + Arrays.toString(shape) + " but the model's patches have " + patchSize * patchSize * channels
                    + " values; make one with `rasterflow codebook` and the same model.patchSize and model.channels");
        }
        if (vocabulary != 0 && shape[0] != vocabulary) {
            throw new IllegalArgumentException("the codebook " + file + " has " + shape[0]
                    + " entries but model.objective.vocabulary is " + vocabulary + "; make them the same");
        }
        FloatBuffer values = tensor.values();
        for (int i = 0; i < values.limit(); i++) {
            if (!Float.isFinite(values.get(i))) {
                throw new IllegalArgumentException(
                        "the codebook " + file + " has a value that is not finite in row " + i / shape[1]);
            }
        }
        Map<String, String> metadata = tensors.metadata();
        return new Codebook(
                values,
                (int) shape[0],
                patchSize,
                channels,
                number(metadata, "images").longValue(),
                number(metadata, "seed").longValue(),
                number(metadata, "distortion").doubleValue());
    }

    /** Of a file that something else has made the metadata may be missing: they are for people. */
    private static Number number(Map<String, String> metadata, String key) {
        try {
            return new BigDecimal(metadata.getOrDefault(key, "0"));
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
