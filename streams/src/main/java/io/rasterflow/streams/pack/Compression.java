package io.rasterflow.streams.pack;

import com.github.luben.zstd.ZstdOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.zip.Deflater;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipParameters;

/** How whole shards are compressed; worth it for images that are not compressed themselves. */
public enum Compression {
    NONE(".tar"),
    GZ(".tar.gz"),
    ZST(".tar.zst");

    private static final int ZSTD_LEVEL = 9;

    private final String extension;

    Compression(String extension) {
        this.extension = extension;
    }

    /** Extension of shards, with the dot in front. */
    public String extension() {
        return extension;
    }

    /** A stream that compresses into {@code out}, the same bytes at any time. */
    OutputStream compress(OutputStream out) throws IOException {
        return switch (this) {
            case NONE -> out;
            case GZ -> {
                GzipParameters parameters = new GzipParameters();
                parameters.setCompressionLevel(Deflater.BEST_COMPRESSION);
                yield new GzipCompressorOutputStream(out, parameters);
            }
            case ZST -> new ZstdOutputStream(out, ZSTD_LEVEL).setChecksum(true);
        };
    }
}
