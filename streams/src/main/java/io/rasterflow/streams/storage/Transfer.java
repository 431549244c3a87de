package io.rasterflow.streams.storage;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One request under way. Its body is asked for in a few pieces at a time, so a slow reader slows the server down, and is handed
 * from the network's threads to the one thread that calls {@link #next}.
 */
final class Transfer implements Flow.Subscriber<List<ByteBuffer>> {

    private static final int PIECES_AHEAD = 4;

    /** What the network's threads tell: bytes, the end (no bytes) or a failure. */
    private record Signal(List<ByteBuffer> bytes, Throwable failure) {}

    private final CompletableFuture<ObjectPart> response;
    private final CompletableFuture<Transfer> begun = new CompletableFuture<>();
    private final BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    private volatile Flow.Subscription subscription;
    private volatile boolean cancelled;

    private Transfer(CompletableFuture<ObjectPart> response) {
        this.response = response;
    }

    static Transfer start(ObjectStore store, ObjectInfo object, long from) {
        Transfer transfer = new Transfer(store.open(object, from));
        var unused = transfer.response.whenComplete((part, failure) -> {
            if (failure != null) {
                transfer.onError(failure);
            } else {
                part.body().subscribe(transfer);
            }
        });
        return transfer;
    }

    /** Completes with the first byte, or the end of an empty body; fails if the request fails before. */
    CompletableFuture<Transfer> begun() {
        return begun;
    }

    /** The one of two that begins first; fails when both have failed, with the failure of the last. */
    static CompletableFuture<Transfer> firstOf(Transfer one, Transfer other) {
        CompletableFuture<Transfer> first = new CompletableFuture<>();
        for (Transfer transfer : List.of(one, other)) {
            CompletableFuture<Transfer> rival = (transfer == one ? other : one).begun;
            var unused = transfer.begun.whenComplete((begun, failure) -> {
                if (failure == null) {
                    first.complete(transfer);
                } else if (rival.isCompletedExceptionally()) {
                    first.completeExceptionally(failure);
                }
            });
        }
        return first;
    }

    /** What the response said of itself; to be called once it has {@link #begun}. */
    ObjectPart part() {
        return response.join();
    }

    /**
     * The next bytes; none at the end of the body.
     *
     * @throws TimeoutException if nothing comes for so long
     * @throws TransferFailure if the body breaks off
     */
    List<ByteBuffer> next(long millis) throws InterruptedException, TimeoutException, TransferFailure {
        Signal signal = signals.poll(millis, TimeUnit.MILLISECONDS);
        if (signal == null) {
            throw new TimeoutException();
        }
        if (signal.failure != null) {
            throw new TransferFailure(signal.failure);
        }
        if (!signal.bytes.isEmpty()) {
            subscription.request(1);
        }
        return signal.bytes;
    }

    /** Ends the request, whatever its state; no effect on one that has ended. */
    void cancel() {
        cancelled = true;
        response.cancel(true);
        if (subscription != null) {
            subscription.cancel();
        }
        onError(new CancellationException());
    }

    @Override
    public void onSubscribe(Flow.Subscription newSubscription) {
        subscription = newSubscription;
        if (cancelled) {
            newSubscription.cancel();
        } else {
            newSubscription.request(PIECES_AHEAD);
        }
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {
        if (bytes.isEmpty()) {
            subscription.request(1); // no bytes would mean the end
            return;
        }
        signals.add(new Signal(bytes, null));
        begun.complete(this);
    }

    @Override
    public void onComplete() {
        signals.add(new Signal(List.of(), null));
        begun.complete(this);
    }

    @Override
    public void onError(Throwable failure) {
        signals.add(new Signal(List.of(), failure));
        begun.completeExceptionally(failure);
    }

    /** A request or its body failed; the cause says how. */
    static final class TransferFailure extends Exception {
        private static final long serialVersionUID = 1L;

        private TransferFailure(Throwable cause) {
            super(cause);
        }
    }
}
