package io.rasterflow.streams.pack;

import java.nio.file.Path;
import java.util.List;

/**
 * What {@link Packer} left in a folder, of this call and of those before it together.
 *
 * @param shards the shard files, in order
 * @param samples images in all shards together
 * @param classes number of classes
 * @param bytes size of all shards together
 * @param failed items that could not be packed
 * @param duplicates items that were left out because an earlier one has the same bytes
 * @param manifest the list of the shards
 * @param failures the list of what could not be packed
 */
public record PackReport(
        List<Path> shards,
        long samples,
        int classes,
        long bytes,
        long failed,
        long duplicates,
        Path manifest,
        Path failures) {
    public PackReport {
        shards = List.copyOf(shards);
    }
}
