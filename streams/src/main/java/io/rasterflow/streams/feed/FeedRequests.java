package io.rasterflow.streams.feed;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.Query;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.Connection;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.scaladsl.model.EntityStreamSizeException;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.javadsl.StreamConverters;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers one request after the other, see {@link FeedServer}. */
final class FeedRequests implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(FeedRequests.class);
    private static final Set<String> PARAMETERS = Set.of("key", "label", "caption");
    private static final String RETRY_SECONDS = "2";
    private static final long BODY_MILLIS = 30_000;
    /** A refused body up to this size is read and dropped, since a sender that is cut off may not see the answer. */
    private static final long DROPPED_BYTES = 64L << 20;

    private final Materializer materializer;
    private final FeedConfig buffer;
    private final FeedLayout layout;
    private final FeedStore store;
    private final FeedWriter writer;
    private final FeedServerConfig config;
    private final Duration patience;
    private final long memoryBytes;
    private final ByteBudget memory;
    private final ExecutorService uploads;

    FeedRequests(
            ActorSystem<?> system,
            FeedConfig buffer,
            FeedStore store,
            FeedWriter writer,
            FeedServerConfig config,
            Duration patience) {
        this.materializer = Materializer.createMaterializer(system);
        this.buffer = buffer;
        this.layout = store.layout();
        this.store = store;
        this.writer = writer;
        this.config = config;
        this.patience = patience;
        this.memoryBytes = Math.max(config.memoryBytes(), 2 * inMemory(layout.maxImageBytes()));
        this.memory = new ByteBudget(memoryBytes);
        // Half of the memory is for tar streams, each of which has a thread.
        int streams = (int) Math.min(16, Math.max(1, memoryBytes / 2 / inMemory(layout.maxImageBytes())));
        this.uploads = new ThreadPoolExecutor(
                0, streams, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> new Thread(task, "feed-upload"));
    }

    /** An image is held twice while it is copied out of the chunks that it came in, or while the next of a tar is read. */
    private static long inMemory(long imageBytes) {
        return 2 * imageBytes;
    }

    CompletionStage<HttpResponse> handle(HttpRequest request) {
        String path = request.getUri().path();
        if (!path.equals("/images") && !path.equals("/status")) {
            return refuse(request, 404, "nothing here; images go to /images");
        }
        Optional<HttpResponse> closed = door(request);
        if (closed.isPresent()) {
            return drop(request, closed.get());
        }
        if (path.equals("/status")) {
            return request.method().equals(HttpMethods.GET)
                    ? drop(request, status())
                    : drop(request, error(405, "only GET").addHeader(RawHeader.create("Allow", "GET")));
        }
        if (!request.method().equals(HttpMethods.POST)) {
            return drop(request, error(405, "only POST").addHeader(RawHeader.create("Allow", "POST")));
        }
        String type = request.entity().getContentType().mediaType().toString();
        boolean encoded = request.getHeader("Content-Encoding").isPresent();
        if (type.startsWith("image/") && !encoded) {
            return postImage(request);
        }
        if (type.equals("application/x-tar") && !encoded) {
            return postTar(request);
        }
        return refuse(
                request, 415, "send an image (Content-Type image/*) or a tar (application/x-tar), not compressed");
    }

    /** Who may not come in: senders without the token; without one, the pages of other sites in somebody's browser. */
    private Optional<HttpResponse> door(HttpRequest request) {
        if (config.token().isPresent()) {
            String shown = request.getHeader("Authorization")
                    .map(header -> header.value())
                    .orElse("");
            return config.token().get().allows(shown)
                    ? Optional.empty()
                    : Optional.of(error(401, "send the token of this feed: Authorization: Bearer TOKEN")
                            .addHeader(RawHeader.create("WWW-Authenticate", "Bearer")));
        }
        return request.getHeader("Origin").isPresent()
                ? Optional.of(error(403, "a feed without a token takes nothing from web pages"))
                : Optional.empty();
    }

    private CompletionStage<HttpResponse> postImage(HttpRequest request) {
        long length = request.entity().getContentLengthOption().orElse(layout.maxImageBytes());
        if (length > layout.maxImageBytes()) {
            return refuse(request, 413, "at most " + layout.maxImageBytes() + " bytes are taken, not " + length);
        }
        long held = inMemory(length);
        return admit(held, (int) length, request, () -> request.entity()
                .withSizeLimit(layout.maxImageBytes())
                .toStrict(BODY_MILLIS, Long.MAX_VALUE, materializer)
                .thenCompose(entity -> take(request, entity.getData().toArray())));
    }

    private CompletionStage<HttpResponse> take(HttpRequest request, byte[] image) {
        try {
            return writer.submit(arrival(request, image).checked(layout.maxImageBytes()))
                    .thenApply(this::taken);
        } catch (Refusal refusal) {
            return CompletableFuture.failedFuture(refusal);
        }
    }

    private static Arrival arrival(HttpRequest request, byte[] image) throws Refusal {
        Query query = request.getUri().query();
        for (var parameter : query.toList()) {
            if (!PARAMETERS.contains(parameter.first())) {
                throw new Refusal(
                        Refusal.Kind.INVALID,
                        "unknown parameter '" + Arrival.printable(parameter.first())
                                + "'; there are key, label, caption");
            }
        }
        String label = query.get("label").orElse("");
        return new Arrival(
                request.getHeader("Idempotency-Key")
                        .map(header -> header.value())
                        .orElse(""),
                query.get("key").orElse(""),
                label.isEmpty() ? Arrival.NO_LABEL : Arrival.label(label),
                query.get("caption").orElse(""),
                image);
    }

    private HttpResponse taken(Receipt receipt) {
        ObjectNode json = object().put("sequence", receipt.sequence())
                .put("shard", receipt.sequence() / layout.shardSamples())
                .put("sample", receipt.sequence() % layout.shardSamples())
                .put("duplicate", receipt.duplicate());
        return json(receipt.duplicate() ? 200 : 201, json);
    }

    private CompletionStage<HttpResponse> postTar(HttpRequest request) {
        long held = inMemory(layout.maxImageBytes());
        return admit(held, 0, request, () -> {
            try {
                return CompletableFuture.supplyAsync(() -> receiveTar(request), uploads);
            } catch (RejectedExecutionException e) {
                return refuse(request, 503, "too many tar streams at once");
            }
        });
    }

    private HttpResponse receiveTar(HttpRequest request) {
        try (InputStream stream = request.entity()
                .withoutSizeLimit()
                .getDataBytes()
                .runWith(StreamConverters.asInputStream(Duration.ofMillis(BODY_MILLIS)), materializer)) {
            TarUpload.Answer answer = new TarUpload(writer, layout, patience).receive(stream);
            HttpResponse response = json(answer.status(), answer.json());
            return answer.status() < 400 ? response : hangUp(response);
        } catch (IOException e) {
            throw new CompletionException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return error(503, "the receiver is closing");
        }
    }

    /** What is done with a body once there is room for it, in memory and in the buffer. */
    private interface Reading {
        CompletionStage<HttpResponse> begin();
    }

    /** Until then nothing of the body is read. */
    private CompletionStage<HttpResponse> admit(long held, int imageBytes, HttpRequest request, Reading reading) {
        return memory.acquire(held)
                .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS)
                .handle((granted, late) -> {
                    if (late != null) {
                        return refuse(request, 503, "too many images are under way");
                    }
                    return room(imageBytes)
                            .handle((room, full) -> {
                                if (full != null) {
                                    return drop(request, explain(full));
                                }
                                return reading.begin().exceptionally(this::explain);
                            })
                            .thenCompose(answer -> answer)
                            .whenComplete((answer, failure) -> memory.release(held));
                })
                .thenCompose(answer -> answer);
    }

    /** Mostly there is room, and then the writer need not be asked. */
    private CompletionStage<Void> room(int imageBytes) {
        boolean certain = store.usage().bytes() + memoryBytes + imageBytes < buffer.maxBytes();
        return certain ? CompletableFuture.completedFuture(null) : writer.room(imageBytes);
    }

    private HttpResponse explain(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof Refusal refusal) {
            return error(refusal.kind().status(), refusal.getMessage());
        }
        if (cause instanceof EntityStreamSizeException) {
            return hangUp(error(413, "at most " + layout.maxImageBytes() + " bytes are taken"));
        }
        if (cause instanceof TimeoutException) {
            return hangUp(error(408, "the image did not arrive within " + BODY_MILLIS / 1000 + " s"));
        }
        if (cause instanceof IOException) {
            return error(503, cause.getMessage());
        }
        log.debug("a request failed", cause);
        return hangUp(error(400, "the request could not be read"));
    }

    private HttpResponse status() {
        FeedStore.Usage usage = store.usage();
        ObjectNode json = object().put("received", usage.received())
                .put("shardSamples", layout.shardSamples())
                .put("sealedShards", usage.sealedShards())
                .put("oldestShard", usage.oldestShard())
                .put("oldestSample", usage.oldestShard() * layout.shardSamples())
                .put("bytes", usage.bytes())
                .put("maxBytes", buffer.maxBytes());
        ArrayNode consumers = json.putArray("consumers");
        try {
            for (FeedConsumer.Progress consumer : FeedConsumer.list(buffer.directory())) {
                consumers
                        .addObject()
                        .put("name", consumer.name())
                        .put("position", consumer.position())
                        .put("firstShard", consumer.firstShard());
            }
        } catch (IOException e) {
            return error(503, "the consumers cannot be listed: " + e.getMessage());
        }
        return json(200, json);
    }

    private CompletionStage<HttpResponse> refuse(HttpRequest request, int status, String line) {
        return drop(request, error(status, line));
    }

    /**
     * Answers a request whose body nobody wants. One that is sent anyhow is read and dropped first, so that the connection can
     * be used again; a sender that waits for a "100 Continue" will not even send it.
     */
    private CompletionStage<HttpResponse> drop(HttpRequest request, HttpResponse response) {
        boolean small = request.entity().getContentLengthOption().orElse(DROPPED_BYTES + 1) <= DROPPED_BYTES;
        if (small && request.getHeader("Expect").isEmpty()) {
            return request.entity()
                    .withoutSizeLimit()
                    .discardBytes(materializer)
                    .completionStage()
                    .handle((dropped, failure) -> response);
        }
        return CompletableFuture.completedFuture(hangUp(response));
    }

    /** What is left of the body is not read: this is the last answer on its connection. */
    private static HttpResponse hangUp(HttpResponse response) {
        return response.addHeader(Connection.create("close"));
    }

    private static HttpResponse error(int status, String line) {
        return json(status, object().put("error", line));
    }

    private static HttpResponse json(int status, ObjectNode json) {
        HttpResponse response = HttpResponse.create()
                .withStatus(StatusCodes.get(status))
                .withEntity(HttpEntities.create(
                        ContentTypes.APPLICATION_JSON, ByteString.fromString(json.toString() + "\n")));
        return status == 503 ? response.addHeader(RawHeader.create("Retry-After", RETRY_SECONDS)) : response;
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    @Override
    public void close() {
        uploads.shutdownNow();
    }
}
