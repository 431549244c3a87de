package io.rasterflow.streams.pack.source;

import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/** Receives nothing of a body that is not wanted, however long it is: the connection is closed. */
final class UnreadBody implements HttpResponse.BodySubscriber<byte[]> {

    private final CompletableFuture<byte[]> result;

    /** @param result what stands for the body */
    UnreadBody(CompletableFuture<byte[]> result) {
        this.result = result;
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return result;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        subscription.cancel();
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        // Cancelled before anything came.
    }

    @Override
    public void onError(Throwable failure) {
        // The result is there already.
    }

    @Override
    public void onComplete() {
        // The result is there already.
    }
}
