package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletionStage;

/**
 * The gradient all-reduce of one rank within one generation. The sum over the global batch is taken in the canonical
 * binary-tree order over micro-batches ({@link ReductionTree}), whatever the world size.
 */
public interface Exchange extends AutoCloseable {

    /**
     * Begins a step. Contributions of this rank's micro-batches follow in index order.
     *
     * @param step global step; strictly increasing within a generation
     */
    void begin(long step);

    /** A direct, native-order buffer of the gradient's size to compute the next micro-batch into. */
    ByteBuffer nextGradient();

    /**
     * Adds the buffer last returned by {@link #nextGradient} as the contribution of the rank's next micro-batch.
     *
     * @param lossSum sum over the counted patches
     * @param patches counted patches
     * @param images images of the micro-batch
     */
    void contribute(double lossSum, long patches, int images);

    /**
     * Completes when the sum over all ranks is here. Fails with {@link ExchangeException} when a peer is lost, aborts
     * or sends something wrong.
     */
    CompletionStage<Reduced> allReduce();

    /**
     * Leaves the generation and frees its buffers; peers see their exchange fail. An outstanding all-reduce fails too.
     */
    @Override
    void close();

    /**
     * The global batch's sum. The buffer belongs to the exchange and is valid until the next {@link #begin}.
     *
     * @param gradientSum direct, native order, not to be written while other ranks are part of the generation: parts of it may still be sent
     * @param lossSum sum over all micro-batches in canonical order
     * @param patches counted patches of the global batch
     * @param images images of the global batch
     * @param meanSquaredNorm mean over the micro-batches of |gradient sum / patches|², the squared norm of each one's
     *     gradient of the mean loss; NaN with a single micro-batch
     * @param nonFinite the first micro-batch whose loss is not finite, -1 when all are
     */
    record Reduced(
            long step,
            ByteBuffer gradientSum,
            double lossSum,
            long patches,
            int images,
            double meanSquaredNorm,
            int nonFinite) {

        /** Whether every contribution's loss was finite. */
        public boolean finite() {
            return nonFinite < 0;
        }
    }
}
