package io.rasterflow.actors.embed;

import io.rasterflow.streams.format.ParquetImages;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The images of parquet files, one file after the other. */
final class ParquetFiles implements EncodedImages {
    private final List<Path> paths;
    private final List<ParquetImages> files = new ArrayList<>();
    private int at;

    ParquetFiles(List<Path> paths) throws IOException {
        this.paths = paths;
        try {
            for (Path path : paths) {
                files.add(ParquetImages.open(path));
            }
        } catch (IOException e) {
            close();
            throw e;
        }
    }

    @Override
    public long size() {
        return files.stream().mapToLong(ParquetImages::size).sum();
    }

    @Override
    public Optional<Image> next() throws IOException {
        while (at < files.size()) {
            Optional<ParquetImages.Row> row = files.get(at).next();
            if (row.isPresent()) {
                String name = row.get().key() + " in " + paths.get(at);
                return Optional.of(
                        new Image(row.get().key(), name, row.get().label().orElse(-1), row.get()::bytes));
            }
            at++;
        }
        return Optional.empty();
    }

    @Override
    public void close() throws IOException {
        for (ParquetImages file : files) {
            file.close();
        }
    }
}
