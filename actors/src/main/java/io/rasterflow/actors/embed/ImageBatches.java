package io.rasterflow.actors.embed;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.batch.StreamConfig;
import io.rasterflow.streams.shard.ShardPattern;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;

/** All images of a source, each once and in a fixed order. Confined to one thread. */
public interface ImageBatches extends AutoCloseable {

    /** How many images there are. */
    long size();

    /** The next batch, which the caller closes; empty at the end. */
    Optional<ImageBatch> next() throws IOException, InterruptedException;

    @Override
    void close() throws IOException;

    /**
     * How images are read.
     *
     * @param cache folder for indexes and expanded shards
     * @param augment size and normalisation
     * @param stream threads and prefetch
     * @param batch images in a batch
     */
    record Reading(Path cache, AugmentConfig augment, StreamConfig stream, int batch) {
        public Reading {
            if (batch < 1) {
                throw new IllegalArgumentException("--batch must be at least 1 but is " + batch);
            }
        }
    }

    /**
     * Opens shards (.tar, .tar.gz, patterns, folders of them), parquet files or one folder with PNG and JPEG files.
     *
     * @throws IOException one line, if there is nothing to read
     */
    static ImageBatches open(ActorSystem<?> system, List<String> data, Reading reading) throws IOException {
        if (data.stream().anyMatch(name -> name.endsWith(".parquet"))) {
            return new EncodedBatches(new ParquetFiles(parquet(data)), reading);
        }
        if (data.size() == 1 && Files.isDirectory(Path.of(data.get(0)))) {
            FolderImages images = new FolderImages(Path.of(data.get(0)));
            if (images.size() > 0) {
                return new EncodedBatches(images, reading);
            }
        }
        return new ShardBatches(system, data, reading);
    }

    private static List<Path> parquet(List<String> data) throws IOException {
        List<Path> files = new ArrayList<>();
        for (String pattern : data) {
            for (Path file : ShardPattern.expand(pattern)) {
                if (!file.toString().endsWith(".parquet")) {
                    throw new IOException(file + " is no parquet file, but others are; embed them one kind at a time");
                }
                files.add(file);
            }
        }
        return files;
    }
}
