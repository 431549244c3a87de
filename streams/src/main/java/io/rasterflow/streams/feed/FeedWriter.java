package io.rasterflow.streams.feed;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that writes a buffer. What arrives while it syncs is written and synced together next, so that many senders
 * share the cost of a sync. Who submits bounds what waits here.
 */
final class FeedWriter implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(FeedWriter.class);
    private static final int MAX_BATCH = 1_024;

    private final FeedStore store;
    private final LinkedBlockingQueue<Task> tasks = new LinkedBlockingQueue<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final Thread thread = new Thread(this::run, "feed-writer");
    private boolean closed;

    private sealed interface Task {}

    private record Append(Arrival arrival, CompletableFuture<Receipt> done) implements Task {}

    private record Room(int bytes, CompletableFuture<Void> done) implements Task {}

    private record Stop() implements Task {}

    FeedWriter(FeedStore store) {
        this.store = store;
        thread.start();
    }

    /** Completes when the image is durable; fails with {@link Refusal}, or with {@code IOException} when the buffer failed. */
    CompletableFuture<Receipt> submit(Arrival arrival) {
        CompletableFuture<Receipt> done = new CompletableFuture<>();
        enqueue(new Append(arrival, done), done);
        return done;
    }

    /** Completes if an image of so many bytes would have room now, else fails with {@link Refusal}. */
    CompletableFuture<Void> room(int bytes) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        enqueue(new Room(bytes, done), done);
        return done;
    }

    private void enqueue(Task task, CompletableFuture<?> done) {
        synchronized (tasks) {
            if (!closed) {
                tasks.add(task);
                return;
            }
        }
        done.completeExceptionally(new IOException("the feed is closing or has failed; see its receiver"));
    }

    /** Ends with {@link #close}; fails when the buffer can no longer be written. */
    CompletableFuture<Void> ended() {
        return ended;
    }

    private void run() {
        List<Task> batch = new ArrayList<>();
        List<Runnable> answers = new ArrayList<>();
        try {
            boolean stopped = false;
            while (!stopped) {
                batch.add(tasks.take());
                tasks.drainTo(batch, MAX_BATCH - 1);
                for (Task task : batch) {
                    stopped |= handle(task, answers);
                }
                store.commit();
                answers.forEach(Runnable::run);
                batch.clear();
                answers.clear();
            }
            ended.complete(null);
        } catch (IOException | RuntimeException | Error | InterruptedException e) {
            // InternalError is how the JVM reports a mapped page that the disk could not back.
            IOException failure = new IOException("the feed cannot be written: " + e, e);
            log.debug("the feed cannot be written", e);
            fail(batch, failure);
            ended.completeExceptionally(failure);
        }
    }

    /** Returns whether to stop; what is to be said after the commit is added to {@code answers}. */
    private boolean handle(Task task, List<Runnable> answers) throws IOException {
        if (task instanceof Append append) {
            try {
                Receipt receipt = store.append(append.arrival);
                answers.add(() -> append.done.complete(receipt));
            } catch (Refusal refusal) {
                answers.add(() -> append.done.completeExceptionally(refusal));
            }
        } else if (task instanceof Room room) {
            try {
                store.makeRoom(room.bytes);
                answers.add(() -> room.done.complete(null));
            } catch (Refusal refusal) {
                answers.add(() -> room.done.completeExceptionally(refusal));
            }
        }
        return task instanceof Stop;
    }

    private void fail(List<Task> batch, IOException failure) {
        synchronized (tasks) {
            closed = true;
            tasks.drainTo(batch);
        }
        for (Task task : batch) {
            if (task instanceof Append append) {
                append.done.completeExceptionally(failure);
            } else if (task instanceof Room room) {
                room.done.completeExceptionally(failure);
            }
        }
    }

    /** Writes what was submitted, then ends. */
    @Override
    public void close() throws IOException {
        synchronized (tasks) {
            if (!closed) {
                closed = true;
                tasks.add(new Stop());
            }
        }
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        store.close();
    }
}
