package io.rasterflow.streams.curate;

import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.Pixels;
import java.io.IOException;
import java.util.Optional;

/** Leaves out an image whose hash is near that of one of the last images that were kept. */
final class NearDuplicateFilter implements SampleFilter {

    private final int distance;
    private final long[] kept;
    private final String[] keys;
    private long count;
    private final ImageDecoder decoder = new ImageDecoder(1);
    private final Pixels pixels = new Pixels();
    private final PerceptualHash hash = new PerceptualHash();
    private NearDuplicate found;

    NearDuplicateFilter(CurationConfig.NearDuplicates config) {
        this.distance = config.distance();
        this.kept = new long[config.window()];
        this.keys = new String[config.window()];
    }

    @Override
    public String name() {
        return "nearDuplicates";
    }

    @Override
    public Optional<String> reject(Candidate sample) throws IOException {
        try {
            decoder.decode(sample.image(), pixels);
        } catch (DecodeException e) {
            return Optional.empty();
        }
        long bits = hash.of(pixels.values(), pixels.width(), pixels.height());
        for (int i = 0; i < Math.min(count, kept.length); i++) {
            int differing = Long.bitCount(kept[i] ^ bits);
            if (differing <= distance) {
                found = new NearDuplicate(sample.key(), keys[i], differing);
                return Optional.of(NearDuplicate.CAUSE);
            }
        }
        int oldest = (int) (count++ % kept.length);
        kept[oldest] = bits;
        keys[oldest] = sample.key();
        return Optional.empty();
    }

    /** The last that was rejected, and why. */
    NearDuplicate found() {
        return found;
    }

    @Override
    public void close() {
        decoder.close();
    }
}
