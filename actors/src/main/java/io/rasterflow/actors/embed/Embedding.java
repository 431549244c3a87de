package io.rasterflow.actors.embed;

import io.rasterflow.model.embed.Embedder;
import io.rasterflow.model.embed.Features;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Turns all images of a source into features.
 *
 * <pre>
 * FILE.npy           (images, D) or (images, K, D) float32; NaN where an image could not be decoded
 * FILE.labels.npy    (images) int64, -1 without a label
 * FILE.keys.txt      one name a line
 * </pre>
 */
public final class Embedding {
    private static final int MOST_NAMED = 5;

    /**
     * What was done.
     *
     * @param seconds from the first image to the last
     * @param bad images that could not be decoded
     * @param causes of the first few of them
     */
    public record Report(long images, double seconds, long bad, List<String> causes) {
        public double imagesPerSecond() {
            return images / Math.max(seconds, 1e-9);
        }
    }

    private Embedding() {}

    /**
     * @param shape of one image's features
     * @param progress is told how many images are done
     */
    public static Report write(
            ImageBatches source, Embedder embedder, Features features, long[] shape, Path out, LongConsumer progress)
            throws IOException {
        long[] whole = new long[shape.length + 1];
        whole[0] = source.size();
        System.arraycopy(shape, 0, whole, 1, shape.length);
        long start = System.nanoTime();
        long done = 0;
        long bad = 0;
        List<String> causes = new ArrayList<>();
        List<String> keys = new ArrayList<>();
        try (NpyWriter values = NpyWriter.floats(out, whole);
                NpyWriter labels = NpyWriter.longs(beside(out, ".labels.npy"), source.size())) {
            for (Optional<ImageBatch> next = source.next(); next.isPresent(); next = source.next()) {
                try (ImageBatch batch = next.get()) {
                    float[] found = embedder.features(batch.images(), batch.size(), features);
                    int each = found.length / batch.size();
                    batch.bad().keySet().forEach(i -> Arrays.fill(found, i * each, (i + 1) * each, Float.NaN));
                    values.write(found);
                    labels.write(Arrays.stream(batch.labels()).asLongStream().toArray());
                    keys.addAll(batch.keys());
                    bad += batch.bad().size();
                    batch.bad().values().stream()
                            .limit(Math.max(0, MOST_NAMED - causes.size()))
                            .forEach(causes::add);
                    done += batch.size();
                    progress.accept(done);
                }
            }
            values.finish();
            labels.finish();
            Files.write(beside(out, ".keys.txt"), keys);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted after " + done + " images; nothing was written", e);
        }
        return new Report(done, (System.nanoTime() - start) * 1e-9, bad, causes);
    }

    /** {@code features.npy} to {@code features.labels.npy}. */
    private static Path beside(Path out, String suffix) {
        return out.resolveSibling(out.getFileName().toString().replaceFirst("\\.npy$", "") + suffix);
    }
}
