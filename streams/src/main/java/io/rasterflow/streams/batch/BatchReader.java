package io.rasterflow.streams.batch;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.stream.javadsl.Source;

/**
 * Pulls batches from a thread that may block, such as the one that a model is confined to. Holds at most one batch beyond
 * those that the source makes ahead, and one that was asked for early.
 */
public final class BatchReader implements AutoCloseable {

    private final SinkQueueWithCancel<Batch> queue;
    private final UniqueKillSwitch killSwitch;
    private Optional<CompletionStage<Optional<Batch>>> early = Optional.empty();
    private long waitNanos;

    private BatchReader(SinkQueueWithCancel<Batch> queue, UniqueKillSwitch killSwitch) {
        this.queue = queue;
        this.killSwitch = killSwitch;
    }

    /** Starts a source; batches are made from now on. */
    public static BatchReader open(Source<Batch, NotUsed> source, Materializer materializer) {
        var running = source.viaMat(KillSwitches.single(), Keep.right())
                .toMat(Sink.<Batch>queue(1).withAttributes(Attributes.inputBuffer(1, 1)), Keep.both())
                .run(materializer);
        return new BatchReader(running.second(), running.first());
    }

    /** The next batch without waiting for it; the caller closes it. One pull at a time. Fails as the stream fails. */
    public CompletionStage<Optional<Batch>> pull() {
        CompletionStage<Optional<Batch>> next = early.orElseGet(queue::pull);
        early = Optional.empty();
        return next;
    }

    /**
     * Asks for the batch that the next {@link #pull} gives, so that it is at hand then: on busy cores a batch that is ready
     * takes milliseconds from thread to thread. The last pull is over.
     */
    public void pullEarly() {
        if (early.isEmpty()) {
            early = Optional.of(queue.pull());
        }
    }

    /**
     * The next batch, which the caller closes; empty at the end of the stream.
     *
     * @throws IOException if the stream has failed, with the stream's own one-line message
     */
    public Optional<Batch> next() throws IOException, InterruptedException {
        long start = System.nanoTime();
        try {
            return pull().toCompletableFuture().get();
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof IOException failure) {
                throw failure;
            }
            throw new IOException("the data stream failed: " + cause, cause);
        } finally {
            waitNanos += System.nanoTime() - start;
        }
    }

    /** Nanoseconds that the consumer has spent in {@link #next}. */
    public long waitNanos() {
        return waitNanos;
    }

    /** Ends the stream and frees the batches that nobody took. */
    @Override
    public void close() {
        killSwitch.shutdown();
        try {
            for (Optional<Batch> left = next(); left.isPresent(); left = next()) {
                left.get().close();
            }
        } catch (IOException e) {
            queue.cancel(); // A failed stream has freed its batches itself.
        } catch (InterruptedException e) {
            queue.cancel();
            Thread.currentThread().interrupt();
        }
    }
}
