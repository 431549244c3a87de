package io.rasterflow.streams.format;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Consecutive images of a folder, the counterpart of a shard: its entries are whole files.
 *
 * @param root the folder
 * @param number of the slice, from 0
 * @param entries with the path below {@code root} as key, offset 0 and the size of the file as length
 */
public record FolderSlice(Path root, int number, List<SampleEntry> entries) {

    /** The file of an entry. */
    public Path file(SampleEntry entry) {
        return root.resolve(entry.key());
    }

    /** Hands every entry on. */
    public void scan(SampleSink sink) throws IOException {
        for (SampleEntry entry : entries) {
            sink.found(new FoundSample() {
                @Override
                public SampleEntry entry() {
                    return entry;
                }

                @Override
                public SampleFields fields() {
                    return SampleFields.NONE;
                }

                @Override
                public byte[] image() throws IOException {
                    return Files.readAllBytes(file(entry));
                }
            });
        }
    }
}
