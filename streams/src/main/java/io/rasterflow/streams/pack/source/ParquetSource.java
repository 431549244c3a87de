package io.rasterflow.streams.pack.source;

import io.rasterflow.streams.format.ParquetImages;
import io.rasterflow.streams.shard.ShardPattern;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** The rows of parquet files as Hugging Face writes them, file after file. */
public final class ParquetSource implements PackSource {

    private final List<Path> files;
    /** starts[f] is the number of the first row of file f; one more for the end. */
    private final long[] starts;

    private final String identity;
    private ParquetImages open;
    private int openFile = -1;
    private long nextRow;

    private ParquetSource(List<Path> files, long[] starts, String identity) {
        this.files = files;
        this.starts = starts;
        this.identity = identity;
    }

    /**
     * Counts the rows.
     *
     * @param patterns files, patterns such as {@code part-{000..009}.parquet}, or folders
     * @throws IOException one line, if a file is missing or is no parquet file with images
     */
    public static ParquetSource open(List<String> patterns) throws IOException {
        List<Path> files = new ArrayList<>();
        for (String pattern : patterns) {
            files.addAll(expand(pattern));
        }
        long[] starts = new long[files.size() + 1];
        MessageDigest digest = Digests.sha256();
        for (int f = 0; f < files.size(); f++) {
            Path file = files.get(f);
            try (ParquetImages images = ParquetImages.open(file)) {
                starts[f + 1] = starts[f] + images.size();
            }
            Digests.add(digest, file.getFileName() + " " + Files.size(file) + " " + starts[f + 1]);
        }
        return new ParquetSource(files, starts, Digests.name(digest));
    }

    private static List<Path> expand(String pattern) throws IOException {
        Path folder = Path.of(pattern);
        if (!Files.isDirectory(folder)) {
            return ShardPattern.names(pattern).stream().map(Path::of).toList();
        }
        try (Stream<Path> listing = Files.list(folder)) {
            List<Path> files = listing.filter(file -> file.toString().endsWith(".parquet"))
                    .sorted()
                    .toList();
            if (files.isEmpty()) {
                throw new FileNotFoundException("no .parquet file in the folder " + folder + "; check --parquet");
            }
            return files;
        }
    }

    @Override
    public long size() {
        return starts[files.size()];
    }

    @Override
    public boolean randomAccess() {
        return false;
    }

    @Override
    public List<String> classes() {
        return List.of();
    }

    @Override
    public Map<String, String> identity() {
        return Map.of("--parquet", "content " + identity);
    }

    @Override
    public PackItem item(long index) throws IOException {
        Objects.checkIndex(index, size());
        int file = 0;
        while (starts[file + 1] <= index) {
            file++;
        }
        if (file != openFile || index < nextRow) {
            close();
            open = ParquetImages.open(files.get(file));
            openFile = file;
            nextRow = starts[file];
        }
        while (nextRow < index) {
            next();
        }
        ParquetImages.Row row = next();
        long number = index - starts[file];
        boolean named = !row.key().equals(Long.toString(number));
        String origin = files.get(file).getFileName() + " row " + number + (named ? " " + row.key() : "");
        return new PackItem(named ? PackItem.key(index, row.key()) : PackItem.key(index), origin, () -> {
            if (row.bytes().length == 0) {
                throw new SampleFailure("the row has no image");
            }
            return new PackSample(row.bytes(), row.label().orElse(PackSample.NO_LABEL));
        });
    }

    private ParquetImages.Row next() throws IOException {
        nextRow++;
        return open.next()
                .orElseThrow(
                        () -> new IOException(files.get(openFile) + " has fewer rows than it says; download it again"));
    }

    @Override
    public void close() throws IOException {
        if (open != null) {
            open.close();
            open = null;
            openFile = -1;
        }
    }
}
