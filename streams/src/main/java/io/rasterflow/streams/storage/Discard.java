package io.rasterflow.streams.storage;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Flow;

/** Takes a body that nobody wants. */
final class Discard implements Flow.Subscriber<List<ByteBuffer>> {

    private final boolean toTheEnd;

    private Discard(boolean toTheEnd) {
        this.toTheEnd = toTheEnd;
    }

    /** Ends the request, and its connection with it. */
    static Discard cancelling() {
        return new Discard(false);
    }

    /** For a body that is known to be empty: the connection can be used again. */
    static Discard draining() {
        return new Discard(true);
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        if (toTheEnd) {
            subscription.request(Long.MAX_VALUE);
        } else {
            subscription.cancel();
        }
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {}

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onComplete() {}
}
