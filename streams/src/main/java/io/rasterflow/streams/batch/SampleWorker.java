package io.rasterflow.streams.batch;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.augment.Augmenter;
import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.order.CounterRandom;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.order.SampleId;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.RawSample;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Reads, decodes and augments one sample after the other with memory of its own; used by one thread at a time. */
final class SampleWorker implements AutoCloseable {

    private static final int MAX_PROBES = 64;

    private final DataSet data;
    private final Order order;
    private final long seed;
    private final boolean training;
    private final int imageBytes;
    private final ImageDecoder decoder;
    private final Augmenter augmenter;
    private final Pixels pixels = new Pixels();
    private long fetchNanos;
    private long decodeNanos;

    SampleWorker(DataSet data, Order order, long seed, boolean training, AugmentConfig config) {
        this.data = data;
        this.order = order;
        this.seed = seed;
        this.training = training;
        this.imageBytes = config.imageValues() * Float.BYTES;
        this.decoder = new ImageDecoder(config.channels());
        this.augmenter = new Augmenter(config);
    }

    /** Fills image {@code i} of a batch with the sample at a position, or with its substitute. */
    void fill(PooledBatch batch, ByteBuffer images, int i, long position) throws IOException {
        SampleId id = training ? order.at(position) : order.sample(0, position);
        CounterRandom random = CounterRandom.of(seed, id.epoch(), order.sampleNumber(id));
        int at = i * imageBytes;
        int label;
        try {
            label = load(id, random, images, at);
        } catch (DecodeException e) {
            BadSample bad = describe(id, position, e);
            batch.addBad(bad);
            label = loadSubstitute(id, random, images, at, bad);
        }
        batch.set(i, position, random.bits(Augmenter.KEY_DRAW), label);
    }

    /** Moves the time spent so far into a batch. */
    void bookTime(PooledBatch batch) {
        batch.addNanos(fetchNanos, decodeNanos);
        fetchNanos = 0;
        decodeNanos = 0;
    }

    /** Returns the label. */
    private int load(SampleId id, CounterRandom random, ByteBuffer images, int at) throws IOException, DecodeException {
        long start = System.nanoTime();
        RawSample sample = data.read(id.shard(), id.sample());
        long fetched = System.nanoTime();
        fetchNanos += fetched - start;
        try {
            decoder.decode(sample.bytes(), pixels);
            if (training) {
                augmenter.training(pixels, random, images, at);
            } else {
                augmenter.evaluation(pixels, images, at);
            }
        } finally {
            decodeNanos += System.nanoTime() - fetched;
        }
        return sample.label();
    }

    private int loadSubstitute(SampleId id, CounterRandom random, ByteBuffer images, int at, BadSample bad)
            throws IOException {
        for (int probe = 0; probe < MAX_PROBES; probe++) {
            SampleId candidate = order.substitute(id, random, probe);
            try {
                if (!candidate.equals(id)) {
                    return load(candidate, random, images, at);
                }
            } catch (DecodeException e) {
                // The next probe follows; this candidate is reported where its own position is used.
            }
        }
        throw new TooManyBadSamplesException(MAX_PROBES, bad);
    }

    private BadSample describe(SampleId id, long position, DecodeException cause) throws IOException {
        SampleEntry entry = data.entry(id.shard(), id.sample());
        String shard = data.shards().get(id.shard()).toString();
        return new BadSample(shard, entry.offset(), entry.key(), position, cause.getMessage());
    }

    @Override
    public void close() {
        decoder.close();
    }
}
