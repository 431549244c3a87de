package io.rasterflow.actors.embed;

import io.rasterflow.model.embed.Embedder;
import io.rasterflow.model.embed.Features;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/** Turns all images of a source into features; the name of the file says in which format. */
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
        long start = System.nanoTime();
        long done = 0;
        long bad = 0;
        List<String> causes = new ArrayList<>();
        try (FeatureFile file = FeatureFile.create(out, source.size(), shape)) {
            for (Optional<ImageBatch> next = source.next(); next.isPresent(); next = source.next()) {
                try (ImageBatch batch = next.get()) {
                    file.write(batch, embedder.features(batch.images(), batch.size(), features));
                    bad += batch.bad().size();
                    batch.bad().values().stream()
                            .limit(Math.max(0, MOST_NAMED - causes.size()))
                            .forEach(causes::add);
                    done += batch.size();
                    progress.accept(done);
                }
            }
            file.finish();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted after " + done + " images; nothing was written", e);
        }
        return new Report(done, (System.nanoTime() - start) * 1e-9, bad, causes);
    }
}
