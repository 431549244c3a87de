package io.rasterflow.streams.batch;

import io.rasterflow.streams.memory.BufferPool;
import io.rasterflow.streams.metrics.StageMetrics;
import io.rasterflow.streams.shard.Samples;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * The decode threads of one running stream and everything native that belongs to it: workers, and batches that were made
 * but not yet handed to the consumer. {@link #stop} gives all of it back, also while threads are still at work.
 */
final class BatchMaker {

    private static final int MIN_JUDGED = 100;

    private final Supplier<SampleWorker> newWorker;
    private final BufferPool pool;
    private final StageMetrics ready;
    private final int imageBytes;
    private final int capacityImages;
    private final double maxBadFraction;
    private final ExecutorService threads;
    private final Queue<SampleWorker> idleWorkers = new ConcurrentLinkedQueue<>();
    private final Set<PooledBatch> undelivered = ConcurrentHashMap.newKeySet();
    private volatile boolean stopped;

    // Touched by the stream's own thread only.
    private long seen;
    private long bad;

    BatchMaker(
            Supplier<SampleWorker> newWorker, Samples data, int imageBytes, int capacityImages, StreamConfig config) {
        this.newWorker = newWorker;
        this.pool = data.buffers();
        this.ready = data.metrics().ready();
        this.imageBytes = imageBytes;
        this.capacityImages = capacityImages;
        this.maxBadFraction = config.maxBadFraction();
        AtomicInteger number = new AtomicInteger();
        this.threads = Executors.newFixedThreadPool(config.decodeThreads(), task -> {
            Thread thread = new Thread(task, "rasterflow-decode-" + number.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Makes a batch on a decode thread. */
    CompletionStage<PooledBatch> submit(BatchRequest request) {
        CompletableFuture<PooledBatch> result = new CompletableFuture<>();
        threads.execute(() -> {
            try {
                result.complete(make(request));
            } catch (Throwable e) { // an Error too must end the stream instead of hanging it
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    /**
     * The batch leaves our hands. Batches come by here in order, so the count of bad samples, and with it the place where
     * the stream fails, does not depend on the threads.
     */
    Batch deliver(PooledBatch batch) throws TooManyBadSamplesException {
        undelivered.remove(batch);
        ready.leave(batch.images().remaining(), System.nanoTime() - batch.madeNanos());
        seen += batch.labels().length;
        List<BadSample> faults =
                batch.badSamples().stream().filter(sample -> !sample.named()).toList();
        bad += faults.size();
        if (!faults.isEmpty() && bad > maxBadFraction * Math.max(seen, MIN_JUDGED)) {
            BadSample last = faults.get(faults.size() - 1);
            batch.close();
            throw new TooManyBadSamplesException(bad, seen, maxBadFraction, last);
        }
        return batch;
    }

    /** Ends the threads and frees what was not delivered. */
    void stop() {
        stopped = true;
        threads.shutdown();
        freeIdle();
    }

    private PooledBatch make(BatchRequest request) throws IOException {
        if (stopped) {
            throw new CancellationException("the stream has ended");
        }
        SampleWorker worker = idleWorkers.poll();
        if (worker == null) {
            worker = newWorker.get();
        }
        PooledBatch batch = new PooledBatch(request, imageBytes, capacityImages, pool);
        try {
            ByteBuffer images = batch.images();
            for (int i = 0; i < request.size(); i++) {
                worker.fill(batch, images, i, request.firstPosition() + i);
            }
            worker.bookTime(batch);
            batch.markMade();
            ready.enter();
            undelivered.add(batch);
            return batch;
        } catch (IOException | RuntimeException | Error e) {
            batch.close();
            throw e;
        } finally {
            idleWorkers.add(worker);
            if (stopped) {
                freeIdle();
            }
        }
    }

    /** May run in several threads at once: whoever takes a thing out of its collection frees it. */
    private void freeIdle() {
        for (SampleWorker worker = idleWorkers.poll(); worker != null; worker = idleWorkers.poll()) {
            worker.close();
        }
        for (PooledBatch batch : List.copyOf(undelivered)) {
            if (undelivered.remove(batch)) {
                ready.abandon();
                batch.close();
            }
        }
    }
}
