package io.rasterflow.streams.format;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Writes samples into an uncompressed tar; the same samples give the same bytes. The stream below stays open. */
final class SampleTar {

    private final TarArchiveOutputStream tar;

    SampleTar(OutputStream out) {
        tar = new TarArchiveOutputStream(out, StandardCharsets.UTF_8.name());
    }

    /** @param name short, of our own making */
    void put(String name, byte[] content) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        entry.setModTime(0L);
        entry.setIds(0, 0);
        entry.setNames("", "");
        entry.setMode(0100644);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    /** Bytes so far; a multiple of the block. */
    long size() {
        return tar.getBytesWritten();
    }

    /** Writes the end-of-archive marker. */
    void finish() throws IOException {
        tar.finish();
        tar.flush();
    }
}
