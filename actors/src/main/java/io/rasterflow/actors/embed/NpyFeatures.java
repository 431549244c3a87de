package io.rasterflow.actors.embed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Features as NumPy reads them.
 *
 * <pre>
 * FILE.npy           (images, D) or (images, K, D) float32; NaN where an image could not be decoded
 * FILE.labels.npy    (images) int64, -1 without a label
 * FILE.keys.txt      one name a line
 * </pre>
 */
final class NpyFeatures implements FeatureFile {
    private final Path out;
    private final NpyWriter values;
    private final NpyWriter labels;
    private final List<String> keys = new ArrayList<>();

    NpyFeatures(Path out, long images, long[] shape) throws IOException {
        this.out = out;
        long[] whole = new long[shape.length + 1];
        whole[0] = images;
        System.arraycopy(shape, 0, whole, 1, shape.length);
        values = NpyWriter.floats(out, whole);
        try {
            labels = NpyWriter.longs(beside(".labels.npy"), images);
        } catch (IOException e) {
            values.close();
            throw e;
        }
    }

    @Override
    public void write(ImageBatch batch, float[] features) throws IOException {
        int each = features.length / batch.size();
        batch.bad().keySet().forEach(i -> Arrays.fill(features, i * each, (i + 1) * each, Float.NaN));
        values.write(features);
        labels.write(Arrays.stream(batch.labels()).asLongStream().toArray());
        keys.addAll(batch.keys());
    }

    @Override
    public void finish() throws IOException {
        values.finish();
        labels.finish();
        Files.write(beside(".keys.txt"), keys);
    }

    /** {@code features.npy} to {@code features.labels.npy}. */
    private Path beside(String suffix) {
        return out.resolveSibling(out.getFileName().toString().replaceFirst("\\.npy$", "") + suffix);
    }

    @Override
    public void close() throws IOException {
        values.close();
        labels.close();
    }
}
