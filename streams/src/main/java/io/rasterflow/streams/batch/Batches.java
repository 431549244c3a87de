package io.rasterflow.streams.batch;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.Samples;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.pekko.NotUsed;
import org.apache.pekko.japi.function.Creator;
import org.apache.pekko.stream.javadsl.Source;

/**
 * The streams of batches. Reading, decoding and augmenting run on {@code decodeThreads} threads of their own; batches come
 * out in order; at most {@code prefetchBatches}, and no more than fit into
 * {@code bufferBytes}, are made ahead of demand. Each run of a source has its own threads, which
 * end with it. The consumer closes every batch that it receives.
 *
 * <p>A source fails with {@link TooManyBadSamplesException} when too many samples are unreadable, and with an {@code
 * IOException} when a shard cannot be read; either message is one line.
 */
public final class Batches {

    private Batches() {}

    /**
     * One rank's micro-batches in the order (step, micro-batch). What a batch holds is a pure function of the data, the seed,
     * the plan, the augmentation, {@code windowShards} and {@code quarantine}: it does not depend on ranks, threads or where the stream began.
     *
     * @param firstStep first global step, 0 or where training resumes
     * @param lastStepExclusive the stream ends before this step
     * @param fromMicroBatch first micro-batch of this rank
     * @param toMicroBatch end of this rank's micro-batches, exclusive
     */
    public static Source<Batch, NotUsed> training(
            Samples data,
            long seed,
            BatchPlan plan,
            AugmentConfig augment,
            StreamConfig config,
            long firstStep,
            long lastStepExclusive,
            int fromMicroBatch,
            int toMicroBatch) {
        if (fromMicroBatch < 0 || toMicroBatch < fromMicroBatch || toMicroBatch > plan.microBatches()) {
            throw new IllegalArgumentException("micro-batches [" + fromMicroBatch + ", " + toMicroBatch + ") of "
                    + plan.microBatches() + " cannot be taken");
        }
        if (firstStep < 0) {
            throw new IllegalArgumentException("the first step must not be negative but is " + firstStep);
        }
        Order order = data.order(seed, config.windowShards());
        Set<String> quarantine = Set.copyOf(config.quarantine());
        Creator<Iterator<BatchRequest>> requests = () -> {
            Lookahead lookahead = new Lookahead(data, order);
            return LongStream.range(firstStep, lastStepExclusive)
                    .boxed()
                    .peek(step -> lookahead.at(plan.firstPosition(step, fromMicroBatch)))
                    .flatMap(step -> IntStream.range(fromMicroBatch, toMicroBatch)
                            .mapToObj(m -> new BatchRequest(step, m, plan.firstPosition(step, m), plan.size(m))))
                    .iterator();
        };
        return source(
                data,
                augment,
                config,
                plan.maxSize(),
                () -> new SampleWorker(data, order, seed, true, augment, quarantine),
                requests);
    }

    /**
     * Every sample once, in the order of the shards, without augmentation; the last batch may be smaller. Keys are those of
     * epoch 0.
     *
     * @param batch images in a batch
     * @param maxImages images to take from the start; 0 or less for all
     */
    public static Source<Batch, NotUsed> evaluation(
            DataSet data, AugmentConfig augment, StreamConfig config, long seed, int batch, long maxImages) {
        if (batch < 1) {
            throw new IllegalArgumentException("the evaluation batch must be at least 1 but is " + batch);
        }
        Order order = data.order(seed, config.windowShards());
        long images = maxImages <= 0 ? data.size() : Math.min(maxImages, data.size());
        Creator<Iterator<BatchRequest>> requests = () -> LongStream.range(0, (images + batch - 1) / batch)
                .mapToObj(b -> new BatchRequest(b, 0, b * batch, (int) Math.min(batch, images - b * batch)))
                .iterator();
        return source(
                data,
                augment,
                config,
                batch,
                () -> new SampleWorker(data, order, seed, false, augment, Set.of()),
                requests);
    }

    private static Source<Batch, NotUsed> source(
            Samples data,
            AugmentConfig augment,
            StreamConfig config,
            int capacityImages,
            Supplier<SampleWorker> newWorker,
            Creator<Iterator<BatchRequest>> requests) {
        int imageBytes = Math.multiplyExact(augment.imageValues(), Float.BYTES);
        int ahead = config.batchesAhead((long) imageBytes * capacityImages);
        return Source.fromMaterializer((materializer, attributes) -> {
                    BatchMaker maker = new BatchMaker(newWorker, data, imageBytes, capacityImages, config);
                    return Source.fromIterator(requests)
                            .mapAsync(ahead, maker::submit)
                            .map(maker::deliver)
                            .watchTermination((notUsed, done) -> {
                                done.whenComplete((ended, failure) -> maker.stop());
                                return NotUsed.getInstance();
                            });
                })
                .mapMaterializedValue(started -> NotUsed.getInstance());
    }

    /** Has the shards brought in that a stream will need, whenever it comes to others. */
    private static final class Lookahead {
        private final Samples data;
        private final Order order;
        private int[] known = {};

        private Lookahead(Samples data, Order order) {
            this.data = data;
            this.order = order;
        }

        private void at(long position) {
            int[] upcoming = order.upcoming(position, data.aheadShards());
            if (!Arrays.equals(upcoming, known)) {
                data.prefetch(upcoming);
                known = upcoming;
            }
        }
    }
}
