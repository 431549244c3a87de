package io.rasterflow.streams.pack;

import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.ImageHeader;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.RawSample;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Looks at every sample of a data set. */
public final class Verification {

    private static final int MAX_LISTED = 1_000;

    private final DataSet data;
    private final boolean decode;
    private final SortedMap<Integer, Long> labels = new TreeMap<>();
    private final SortedMap<String, Long> sizes = new TreeMap<>();
    private final List<BadSample> broken = new ArrayList<>();
    private long brokenCount;
    private long bytes;
    private long position;

    private Verification(DataSet data, boolean decode) {
        this.data = data;
        this.decode = decode;
    }

    /** Decodes every sample. */
    public static VerificationReport verify(DataSet data) throws IOException {
        return new Verification(data, true).run();
    }

    /** Reads headers and checksums only, which is many times faster for large images. */
    public static VerificationReport inspect(DataSet data) throws IOException {
        return new Verification(data, false).run();
    }

    private VerificationReport run() throws IOException {
        int[] counts = data.sampleCounts();
        Pixels pixels = new Pixels();
        try (ImageDecoder decoder = new ImageDecoder(3)) {
            for (int shard = 0; shard < counts.length; shard++) {
                for (int sample = 0; sample < counts[shard]; sample++) {
                    look(shard, data.read(shard, sample), decoder, pixels);
                }
            }
        }
        return new VerificationReport(counts.length, data.size(), bytes, labels, sizes, broken, brokenCount);
    }

    private void look(int shard, RawSample sample, ImageDecoder decoder, Pixels pixels) {
        bytes += sample.bytes().length;
        labels.merge(sample.label(), 1L, Long::sum);
        try {
            ImageHeader header = ImageHeader.read(sample.bytes());
            if (decode) {
                decoder.decode(sample.bytes(), pixels);
            }
            sizes.merge(header.width() + "x" + header.height(), 1L, Long::sum);
        } catch (DecodeException e) {
            brokenCount++;
            if (broken.size() < MAX_LISTED) {
                String name = data.shards().get(shard).toString();
                broken.add(new BadSample(name, sample.offset(), sample.key(), position, e.getMessage()));
            }
        }
        position++;
    }
}
