package io.rasterflow.streams.storage;

import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.net.http.HttpResponse.ResponseInfo;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

/**
 * One HTTP request: a head, and a body that comes as it is asked for. The JDK's own publisher of bodies calls a request done
 * once its head is there, so cancelling it in its body is left half done: the connection is closed, but JDK 17's client keeps
 * counting the request and its thread never ends. Here the request is done when its body is.
 */
final class HttpCall implements BodySubscriber<Void>, Flow.Publisher<List<ByteBuffer>>, Flow.Subscription {

    private final CompletableFuture<HttpCall> responded = new CompletableFuture<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile ResponseInfo head;
    private volatile Flow.Subscription upstream;
    private volatile Flow.Subscriber<? super List<ByteBuffer>> downstream;
    private volatile CompletableFuture<HttpResponse<Void>> exchange;
    private volatile boolean cancelled;

    private HttpCall() {}

    /**
     * Sends a request.
     *
     * @throws IllegalArgumentException for a URL that is none
     */
    static HttpCall send(HttpClient client, HttpRequest request) {
        HttpCall call = new HttpCall();
        call.exchange = client.sendAsync(request, head -> {
            call.head = head;
            return call;
        });
        if (call.cancelled) {
            call.exchange.cancel(true);
        }
        var unused = call.exchange.whenComplete((response, failure) -> {
            if (failure != null) {
                call.onError(failure);
            }
        });
        return call;
    }

    /** Completes when the head is there. */
    CompletableFuture<HttpCall> responded() {
        return responded;
    }

    int status() {
        return head.statusCode();
    }

    HttpHeaders headers() {
        return head.headers();
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
        upstream = subscription;
        responded.complete(this);
    }

    @Override
    public void onNext(List<ByteBuffer> bytes) {
        downstream.onNext(bytes);
    }

    @Override
    public void onError(Throwable failure) {
        responded.completeExceptionally(failure);
        ended.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        ended.complete(null);
    }

    @Override
    public CompletionStage<Void> getBody() {
        return ended;
    }

    /** The body, for one subscriber; it may have ended before. */
    @Override
    public void subscribe(Flow.Subscriber<? super List<ByteBuffer>> subscriber) {
        downstream = subscriber;
        subscriber.onSubscribe(this);
        var unused = ended.whenComplete((end, failure) -> {
            if (failure == null) {
                subscriber.onComplete();
            } else {
                subscriber.onError(failure);
            }
        });
    }

    @Override
    public void request(long pieces) {
        upstream.request(pieces);
    }

    /** Ends the request and its connection, in whatever state; no effect after its end. */
    @Override
    public void cancel() {
        cancelled = true;
        if (exchange != null) {
            exchange.cancel(true);
        }
        onError(new CancellationException());
    }
}
