package io.rasterflow.streams.pack;

import java.nio.file.Path;
import java.util.List;

/**
 * What {@link Packer} wrote.
 *
 * @param shards the shard files, in order
 * @param samples images in all shards together
 * @param classes number of classes
 * @param bytes size of all shards together
 */
public record PackReport(List<Path> shards, long samples, int classes, long bytes) {
    public PackReport {
        shards = List.copyOf(shards);
    }
}
