package io.rasterflow.streams.pack;

import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The hashes of the images that were packed: a set in memory, and 16 bytes each in a file in the order of their arrival. */
final class ContentHashes implements Closeable {

    private static final int BYTES = 16;

    private final HashSet128 set = new HashSet128();
    private final AppendedFile file;

    /**
     * @param file where they are kept
     * @param count how many of those in the file count
     */
    ContentHashes(Path file, long count) throws IOException {
        this.file = new AppendedFile(file, count * BYTES);
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), 1 << 16))) {
            for (long i = 0; i < count; i++) {
                set.add(in.readLong(), in.readLong());
            }
        }
    }

    /**
     * Adds the first 16 bytes of a hash.
     *
     * @return whether it was new
     */
    boolean add(byte[] hash) throws IOException {
        if (!set.add(hash)) {
            return false;
        }
        file.write(Arrays.copyOf(hash, BYTES));
        return true;
    }

    void sync() throws IOException {
        file.sync();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
