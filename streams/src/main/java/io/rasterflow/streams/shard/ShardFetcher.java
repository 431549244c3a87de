package io.rasterflow.streams.shard;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Looks through shards and brings them in on some threads of its own, which end when they have had nothing to do for a while. */
final class ShardFetcher implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(ShardFetcher.class);
    private static final long IDLE_SECONDS = 10;
    private static final long REPORT_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final ShardCache cache;
    private final ThreadPoolExecutor threads;
    private final Set<ShardRef> begun = ConcurrentHashMap.newKeySet();

    ShardFetcher(ShardCache cache, CacheConfig config) {
        this.cache = cache;
        AtomicInteger number = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                config.threads(),
                config.threads(),
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                task -> {
                    Thread thread = new Thread(task, "rasterflow-fetch-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    ShardCache cache() {
        return cache;
    }

    /**
     * Samples in each shard: by its manifest where nothing is left out, or else by its index, which is made if need be.
     *
     * @throws IOException that of the first shard that has one
     */
    int[] counts(List<ShardRef> shards) throws IOException {
        AtomicLong reported = new AtomicLong(System.nanoTime());
        AtomicInteger done = new AtomicInteger();
        List<Future<Integer>> counts = new ArrayList<>();
        for (ShardRef shard : shards) {
            counts.add(threads.submit(() -> {
                int count = cache.count(shard);
                int known = done.incrementAndGet();
                long last = reported.get();
                if (System.nanoTime() - last > REPORT_NANOS && reported.compareAndSet(last, System.nanoTime())) {
                    LOG.info("looking through the shards: {} of {}", known, shards.size());
                }
                return count;
            }));
        }
        try {
            int[] known = new int[shards.size()];
            for (int i = 0; i < known.length; i++) {
                known[i] = counts.get(i).get();
            }
            return known;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while looking through the shards", e);
        } finally {
            counts.forEach(count -> count.cancel(true));
        }
    }

    /** Brings a shard in, unless that has been asked for before. */
    void prefetch(ShardRef shard) {
        if (!begun.add(shard)) {
            return;
        }
        try {
            threads.execute(() -> {
                try {
                    cache.prepare(shard);
                } catch (IOException | RuntimeException e) {
                    LOG.debug("{} could not be brought in ahead of need", shard.name(), e); // Its reader will say why.
                } finally {
                    begun.remove(shard);
                }
            });
        } catch (RejectedExecutionException e) {
            begun.remove(shard); // The data set is being closed.
        }
    }

    /** Ends the threads; what has come so far of a shard is kept. */
    @Override
    public void close() {
        threads.shutdownNow();
        try {
            if (!threads.awaitTermination(IDLE_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("threads that bring shards in did not end within {} s", IDLE_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
