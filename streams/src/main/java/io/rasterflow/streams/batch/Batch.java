package io.rasterflow.streams.batch;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Decoded images in one native buffer. For training a batch is one micro-batch of one step; for evaluation it is a run
 * of consecutive samples. Close it to return the buffer to its pool.
 *
 * <p>B images, C channels, H height, W width.
 */
public interface Batch extends AutoCloseable {

    /** Global step of a training micro-batch; running number of an evaluation batch. */
    long step();

    /** Index of the micro-batch within the global batch, 0-based; 0 for evaluation. */
    int microBatch();

    /** (B, C, H, W) float32, normalised, direct, native order, position 0, limit B·C·H·W·4. */
    ByteBuffer images();

    /** B labels, -1 where a sample has none. */
    int[] labels();

    /** B global sample positions. */
    long[] positions();

    /** B random keys, each a pure function of (seed, epoch, sample): the consumer's own source of randomness. */
    long[] keys();

    /** Samples that could not be decoded and were replaced by a deterministic substitute. */
    List<BadSample> badSamples();

    /** Nanoseconds of thread time spent reading shards for this batch. */
    long fetchNanos();

    /** Nanoseconds of thread time spent decoding and augmenting for this batch. */
    long decodeNanos();

    @Override
    void close();
}
