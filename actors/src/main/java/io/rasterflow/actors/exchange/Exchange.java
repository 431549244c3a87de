package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The gradient all-reduce of one rank within one generation. The sum over the global batch is taken in the canonical
 * binary-tree order over micro-batches ({@link ReductionTree}), whatever the world size; from
 * {@code exchange.ringFrom} ranks on it goes round a ring and depends on the world size.
 *
 * <p>A gradient is a list of flat float32 buckets; F_b is the length of bucket b. All calls but {@link #signal} come from
 * one thread at a time.
 */
public interface Exchange extends AutoCloseable {

    /**
     * Begins a step. Contributions of this rank's micro-batches follow in index order.
     *
     * @param step global step; strictly increasing within a generation
     */
    void begin(long step);

    /** Direct, native-order buffers of 4·F_b bytes to compute the next micro-batch into. */
    List<ByteBuffer> nextGradient();

    /**
     * That bucket of the open micro-batch is final: it may be sent while others are still computed. Each bucket at most
     * once per micro-batch, in any order.
     */
    void ready(int bucket);

    /**
     * Adds the buffers last returned by {@link #nextGradient} as the contribution of the rank's next micro-batch; its
     * buckets are all ready then.
     *
     * @param lossSum sum over the counted patches
     * @param patches counted patches
     * @param images images of the micro-batch
     */
    void contribute(double lossSum, long patches, int images);

    /**
     * Tells all ranks something together with a step: the bits are part of {@link Reduced#signals} of the first step whose
     * scalars this rank has not published yet, at every rank alike. Any thread.
     */
    void signal(int bits);

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
     * The global batch's sum. The buffers belong to the exchange and are valid until the next {@link #begin}. The
     * caller must not change them: peers may still read this rank's slice.
     *
     * @param gradientSum one per bucket; direct, native order, 4·F_b bytes
     * @param lossSum sum over all micro-batches in canonical order
     * @param patches counted patches of the global batch
     * @param images images of the global batch
     * @param meanSquaredNorm mean over the micro-batches of |gradient sum / patches|², the squared norm of each one's
     *     gradient of the mean loss, taken in every fourth step; NaN in the others and with a single micro-batch
     * @param nonFinite the first micro-batch whose loss is not finite, -1 when all are
     * @param signals the bits that any rank has signalled for this step
     */
    record Reduced(
            long step,
            List<ByteBuffer> gradientSum,
            double lossSum,
            long patches,
            int images,
            double meanSquaredNorm,
            int nonFinite,
            int signals) {

        /** Whether every contribution's loss was finite. */
        public boolean finite() {
            return nonFinite < 0;
        }
    }
}
