package io.rasterflow.streams.pack.source;

import com.github.luben.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;

/** Tells compressed files by their first bytes. */
final class Decompression {

    private static final int ZSTD_MAGIC = 0x28B52FFD;

    private Decompression() {}

    /**
     * @param in at its start, with support for marks
     * @return {@code in} itself if it is neither gzip nor zstd
     */
    static InputStream of(InputStream in) throws IOException {
        in.mark(4);
        int magic = 0;
        for (int i = 0; i < 4; i++) {
            magic = magic << 8 | in.read() & 0xFF;
        }
        in.reset();
        if (magic >>> 16 == 0x1F8B) {
            return new GZIPInputStream(in, 1 << 16);
        }
        return magic == ZSTD_MAGIC ? new ZstdInputStream(in) : in;
    }
}
