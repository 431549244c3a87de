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
    private long count;
    private final ImageDecoder decoder = new ImageDecoder(1);
    private final Pixels pixels = new Pixels();
    private final PerceptualHash hash = new PerceptualHash();

    NearDuplicateFilter(CurationConfig.NearDuplicates config) {
        this.distance = config.distance();
        this.kept = new long[config.window()];
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
            if (Long.bitCount(kept[i] ^ bits) <= distance) {
                return Optional.of("duplicate");
            }
        }
        kept[(int) (count++ % kept.length)] = bits;
        return Optional.empty();
    }

    @Override
    public void close() {
        decoder.close();
    }
}
