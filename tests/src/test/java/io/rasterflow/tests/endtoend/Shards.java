package io.rasterflow.tests.endtoend;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Makes shards with known damage out of good ones. */
final class Shards {

    private Shards() {}

    /**
     * Copies the first {@code images} samples; every {@code every}-th image is emptied or filled with garbage in turn.
     *
     * @return how many images were damaged
     */
    static int copyDamaged(Path from, Path to, int images, int every) throws IOException {
        int copied = 0;
        int damaged = 0;
        try (TarArchiveInputStream in = new TarArchiveInputStream(
                        new GZIPInputStream(new BufferedInputStream(Files.newInputStream(from))));
                OutputStream file = Files.newOutputStream(to);
                TarArchiveOutputStream out = new TarArchiveOutputStream(new GZIPOutputStream(file))) {
            for (TarArchiveEntry entry = in.getNextEntry();
                    entry != null && copied < 2 * images;
                    entry = in.getNextEntry()) {
                byte[] bytes = in.readAllBytes();
                if (entry.getName().endsWith(".png") && copied / 2 % every == every / 2) {
                    if (damaged % 2 == 0) {
                        bytes = new byte[0];
                    } else {
                        Arrays.fill(bytes, 20, bytes.length, (byte) 7);
                    }
                    damaged++;
                }
                TarArchiveEntry copy = new TarArchiveEntry(entry.getName());
                copy.setSize(bytes.length);
                out.putArchiveEntry(copy);
                out.write(bytes);
                out.closeArchiveEntry();
                copied++;
            }
        }
        return damaged;
    }
}
