package io.rasterflow.streams.pack.source;

import io.rasterflow.streams.shard.DataConfig;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.ShardRef;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Shard files of this machine by their names, see {@link DataSet#list}. */
final class LocalShards {

    private LocalShards() {}

    /**
     * @param scratch folder for lists
     * @throws IOException one line, if one is missing or does not lie on this machine
     */
    static List<Path> of(List<String> names, Path scratch) throws IOException {
        List<Path> files = new ArrayList<>();
        for (ShardRef shard : DataSet.list(names, DataConfig.in(scratch))) {
            if (shard.slice().isPresent()) {
                throw new IOException(shard.name() + " is a folder of images; pack it with --folder");
            }
            Path file = shard.file()
                    .orElseThrow(() ->
                            new IOException(shard.name() + " does not lie on this machine; copy it here to pack it"));
            if (!Files.isRegularFile(file)) {
                throw new FileNotFoundException("no shard at " + file.toAbsolutePath() + "; check the path");
            }
            files.add(file);
        }
        return files;
    }
}
