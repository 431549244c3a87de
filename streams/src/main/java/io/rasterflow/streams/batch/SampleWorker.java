package io.rasterflow.streams.batch;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.augment.Augmenter;
import io.rasterflow.streams.augment.CropBox;
import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.decode.ImageDecoder;
import io.rasterflow.streams.decode.ImageHeader;
import io.rasterflow.streams.decode.Pixels;
import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.streams.metrics.StageMetrics;
import io.rasterflow.streams.order.CounterRandom;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.order.SampleId;
import io.rasterflow.streams.shard.RawSample;
import io.rasterflow.streams.shard.Samples;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;

/** Reads, decodes and augments one sample after the other with memory of its own; used by one thread at a time. */
final class SampleWorker implements AutoCloseable {

    private static final int MAX_PROBES = 64;

    private final Samples data;
    private final Order order;
    private final long seed;
    private final boolean training;
    private final Set<String> quarantine;
    private final int imageBytes;
    private final ImageDecoder decoder;
    private final Augmenter augmenter;
    private final Pixels pixels = new Pixels();
    private final StageMetrics reading;
    private final StageMetrics decoding;

    /** The encoded image that was read last; empty if it could not be read. */
    private byte[] encoded = {};

    private long fetchNanos;
    private long decodeNanos;

    SampleWorker(Samples data, Order order, long seed, boolean training, AugmentConfig config, Set<String> quarantine) {
        this.data = data;
        this.order = order;
        this.seed = seed;
        this.training = training;
        this.quarantine = quarantine;
        this.imageBytes = config.imageValues() * Float.BYTES;
        this.decoder = new ImageDecoder(config.channels());
        this.augmenter = new Augmenter(config);
        this.reading = data.metrics().read();
        this.decoding = data.metrics().decode();
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
        RawSample sample = read(id);
        long start = System.nanoTime();
        boolean passed = false;
        decoding.enter();
        try {
            ImageHeader header = decoder.open(encoded);
            if (training) {
                augmentForTraining(header, random, images, at);
            } else {
                augmentForEvaluation(header, images, at);
            }
            passed = true;
        } finally {
            long nanos = System.nanoTime() - start;
            decodeNanos += nanos;
            if (passed) {
                decoding.leave(imageBytes, nanos);
            } else {
                decoding.abandon();
            }
        }
        return sample.label();
    }

    /** A sample that its shard does not hold whole is as bad as one that cannot be decoded. */
    private RawSample read(SampleId id) throws IOException, DecodeException {
        long start = System.nanoTime();
        RawSample sample = null;
        encoded = new byte[0];
        if (!quarantine.isEmpty() && quarantine.contains(name(id))) {
            throw new DecodeException(BadSample.NAMED);
        }
        reading.enter();
        try {
            sample = data.read(id);
            encoded = sample.bytes();
            return sample;
        } catch (ShardFormatException e) {
            throw new DecodeException(e.getMessage());
        } finally {
            long nanos = System.nanoTime() - start;
            fetchNanos += nanos;
            if (sample != null) {
                reading.leave(encoded.length, nanos);
            } else {
                reading.abandon();
            }
        }
    }

    private String name(SampleId id) throws IOException {
        return BadSample.name(data.shardName(id.shard()), data.entry(id).key());
    }

    private void augmentForTraining(ImageHeader header, CounterRandom random, ByteBuffer images, int at)
            throws DecodeException {
        CropBox crop = augmenter.trainingCrop(header.width(), header.height(), random);
        int reduction = decoder.decode(crop.bottom(), augmenter.trainingReduction(crop), pixels);
        augmenter.training(pixels, crop, reduction, random, images, at);
    }

    private void augmentForEvaluation(ImageHeader header, ByteBuffer images, int at) throws DecodeException {
        int width = header.width();
        int height = header.height();
        int reduction = decoder.decode(height, augmenter.evaluationReduction(width, height), pixels);
        augmenter.evaluation(pixels, width, height, reduction, images, at);
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
        SampleEntry entry = data.entry(id);
        return new BadSample(
                data.shardName(id.shard()),
                entry.offset(),
                entry.key(),
                position,
                cause.getMessage(),
                BadSample.firstBytes(encoded));
    }

    @Override
    public void close() {
        decoder.close();
    }
}
