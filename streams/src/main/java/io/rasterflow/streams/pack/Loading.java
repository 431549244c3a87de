package io.rasterflow.streams.pack;

import io.rasterflow.streams.decode.DecodeException;
import io.rasterflow.streams.pack.source.PackItem;
import io.rasterflow.streams.pack.source.PackSample;
import io.rasterflow.streams.pack.source.PackSource;
import io.rasterflow.streams.pack.source.SampleFailure;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Loads and checks items side by side and gives their outcomes back in the order in which they were asked for.
 *
 * <p>Memory is bounded: no item is begun while {@value #BUDGET_SHARE}th of the heap is filled with images that wait for an
 * earlier one, so at most that much and one image per connection or thread are held.
 */
final class Loading implements AutoCloseable {

    private static final int BUDGET_SHARE = 8;
    private static final int MAX_WAITING = 4096;

    private final PackSource source;
    private final PackConfig config;
    private final ExecutorService loaders;
    private final ExecutorService checkers;
    private final int concurrency;
    private final long budget = Runtime.getRuntime().maxMemory() / BUDGET_SHARE;
    private final Queue<ImageCheck> idle = new ConcurrentLinkedQueue<>();

    // Guarded by this
    private final Queue<Outcome> waiting = new ArrayDeque<>();
    private int underWay;
    private long heldBytes;
    private volatile boolean closed;

    /** An item and what became of it; complete when {@code image} or {@code cause} is there. */
    static final class Outcome {
        private final long item;
        private final PackItem description;
        private PackedImage image;
        private String cause;
        private Throwable error;

        private Outcome(long item, PackItem description) {
            this.item = item;
            this.description = description;
        }

        long item() {
            return item;
        }

        String key() {
            return description.key();
        }

        String origin() {
            return description.origin();
        }

        /** Null if the item failed. */
        PackedImage image() {
            return image;
        }

        /** Why it failed, one line. */
        String cause() {
            return cause;
        }

        private boolean isComplete() {
            return image != null || cause != null || error != null;
        }
    }

    Loading(PackSource source, PackConfig config) {
        this.source = source;
        this.config = config;
        this.checkers = threads("rasterflow-pack-", config.threads());
        this.loaders = source.connections() > 0 ? threads("rasterflow-fetch-", source.connections()) : checkers;
        this.concurrency = source.connections() > 0 ? source.connections() : 2 * config.threads();
    }

    private static ExecutorService threads(String name, int count) {
        AtomicInteger number = new AtomicInteger();
        return Executors.newFixedThreadPool(count, task -> {
            Thread thread = new Thread(task, name + number.getAndIncrement());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Whether another item may be begun now. */
    synchronized boolean hasRoom() {
        return underWay < concurrency && heldBytes < budget && waiting.size() < MAX_WAITING;
    }

    /** Begins an item. */
    void begin(long item) throws IOException {
        Outcome outcome = new Outcome(item, source.item(item));
        synchronized (this) {
            waiting.add(outcome);
            underWay++;
        }
        loaders.execute(() -> load(outcome));
    }

    /**
     * The oldest outcome; null if it is not there yet but another item may be begun instead of waiting.
     *
     * @throws IllegalStateException for a bug in loading
     */
    synchronized Outcome poll(boolean moreToBegin) throws InterruptedException {
        while (!waiting.element().isComplete()) {
            if (moreToBegin && hasRoom()) {
                return null;
            }
            wait();
        }
        Outcome outcome = waiting.remove();
        if (outcome.error != null) {
            throw new IllegalStateException("packing " + outcome.origin() + " failed: " + outcome.error, outcome.error);
        }
        heldBytes -= bytes(outcome);
        return outcome;
    }

    private void load(Outcome outcome) {
        try {
            PackSample sample = outcome.description.loader().load();
            if (loaders == checkers) {
                check(outcome, sample);
            } else {
                checkers.execute(() -> check(outcome, sample));
            }
        } catch (SampleFailure e) {
            complete(outcome, null, e.getMessage(), null);
        } catch (IOException e) {
            complete(outcome, null, e.getClass().getSimpleName() + ": " + firstLine(e), null);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed: nobody waits for it
        } catch (Throwable e) { // an Error too must end the packing instead of hanging it
            complete(outcome, null, null, e);
        }
    }

    private void check(Outcome outcome, PackSample sample) {
        ImageCheck check = idle.poll();
        try {
            if (check == null) {
                check = new ImageCheck(config.decode(), config.shorterSide());
            }
            complete(outcome, check.check(sample), null, null);
        } catch (DecodeException e) {
            complete(outcome, null, e.getMessage(), null);
        } catch (Throwable e) { // an Error too must end the packing instead of hanging it
            complete(outcome, null, null, e);
        } finally {
            if (check != null) {
                idle.add(check);
            }
            if (closed) {
                freeIdle();
            }
        }
    }

    private synchronized void complete(Outcome outcome, PackedImage image, String cause, Throwable error) {
        outcome.image = image;
        outcome.cause = cause;
        outcome.error = error;
        underWay--;
        heldBytes += bytes(outcome);
        notifyAll();
    }

    private static long bytes(Outcome outcome) {
        return outcome.image == null ? 0 : outcome.image.bytes().length;
    }

    private static String firstLine(IOException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    /** Ends the threads; what is under way is given up. */
    @Override
    public void close() {
        closed = true;
        loaders.shutdownNow();
        checkers.shutdownNow();
        freeIdle();
    }

    /** May run in several threads at once: whoever takes a check out of the queue frees it. */
    private void freeIdle() {
        for (ImageCheck check = idle.poll(); check != null; check = idle.poll()) {
            check.close();
        }
    }
}
