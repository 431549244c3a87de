package io.rasterflow.streams.format;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * Decompresses zstd of any number of frames, and says exactly how far it got. A frame may look back {@value #MAX_WINDOW_MIB}
 * MiB at most, the library's own limit and what {@code zstd --long} writes, because that much native memory is needed.
 */
final class Unzstd {

    private static final int BUFFER = 1 << 17;
    private static final int MAX_WINDOW_MIB = 128;

    private Unzstd() {}

    /**
     * Writes everything that can be decompressed.
     *
     * @return where that ended too early, if it did
     */
    static Optional<Damage> expand(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[BUFFER];
        ByteBuffer source = ByteBuffer.allocateDirect(BUFFER).limit(0);
        ByteBuffer target = ByteBuffer.allocateDirect(BUFFER);
        long written = 0;
        long frame = 0;
        boolean whole = true;
        try (ZstdDecompressCtx context = new ZstdDecompressCtx()) {
            while (true) {
                boolean drained = target.position() < target.capacity(); // else more output may be waiting inside
                if (!source.hasRemaining() && drained) {
                    int got = in.read(buffer);
                    if (got < 0) {
                        return whole
                                ? Optional.empty()
                                : Optional.of(new Damage(written, "the zstd stream is cut short"));
                    }
                    source.clear().put(buffer, 0, got).flip();
                }
                target.clear();
                try {
                    whole = context.decompressDirectByteBufferStream(target, source);
                } catch (ZstdException e) {
                    return Optional.of(damage(frame, e));
                }
                int got = target.position();
                target.get(0, buffer, 0, got);
                out.write(buffer, 0, got);
                written += got;
                frame = whole ? written : frame;
            }
        }
    }

    private static Damage damage(long frame, ZstdException e) {
        long code = Zstd.getErrorCode(e.getErrorCode());
        if (code == Zstd.errFrameParameterWindowTooLarge()) {
            return new Damage(
                    frame,
                    "a zstd frame looks back further than " + MAX_WINDOW_MIB + " MiB",
                    "compress the shard again with `zstd --long=27` or less");
        }
        if (code == Zstd.errPrefixUnknown()) {
            return new Damage(frame, "bytes that are no zstd frame");
        }
        return new Damage(frame, "the zstd stream is broken (" + e.getMessage() + ")");
    }
}
