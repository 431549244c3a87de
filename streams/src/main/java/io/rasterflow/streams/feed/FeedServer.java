package io.rasterflow.streams.feed;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Receives images over HTTP into a buffer.
 *
 * <pre>
 *  POST /images[?key=K&amp;label=N&amp;caption=TEXT]    one encoded image, Content-Type image/*
 *  POST /images                                a WebDataset tar of many, Content-Type application/x-tar
 *  GET  /status                                what the buffer holds, JSON
 * </pre>
 *
 * An image is answered once it is durable: 201 with its number, or 200 if it is known already by its {@code Idempotency-Key}
 * header (else its key), which is remembered for at least as many further images as a shard has. 400 for what is no image, 401
 * without the token, 409 for a key that stands for another image, 413 for one that is too large, 415 for another type, 503 with
 * {@code Retry-After} when there is no room.
 */
public final class FeedServer implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(FeedServer.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration GOODBYE = Duration.ofSeconds(3);

    /** Headers that cannot be parsed would be logged with their content, and a token is one. */
    private static final Config SETTINGS = ConfigFactory.parseString(
            """
            pekko.http.server {
              server-header = "rasterflow"
              idle-timeout = 60s
              request-timeout = 45s
              parsing.illegal-header-warnings = off
              parsing.error-logging-verbosity = off
              parsing.max-uri-length = 16k
            }
            """);

    private final ServerBinding binding;
    private final FeedRequests requests;
    private final FeedWriter writer;
    private final URI address;
    private final AtomicBoolean closed = new AtomicBoolean();

    private FeedServer(ServerBinding binding, FeedRequests requests, FeedWriter writer, URI address) {
        this.binding = binding;
        this.requests = requests;
        this.writer = writer;
        this.address = address;
    }

    /**
     * Opens the buffer, or makes it, and begins to receive.
     *
     * @throws IOException one line that names what is wrong: the folder cannot be written or has a receiver already, the port
     *     is in use
     */
    public static FeedServer start(ActorSystem<?> system, FeedConfig buffer, FeedServerConfig config)
            throws IOException {
        FeedStore store = FeedStore.open(buffer);
        FeedWriter writer = new FeedWriter(store);
        FeedRequests requests = new FeedRequests(system, buffer, store, writer, config, PATIENCE);
        try {
            ServerSettings settings = ServerSettings.create(
                    SETTINGS.withFallback(system.settings().config()));
            ServerBinding binding = await(Http.get(system)
                    .newServerAt(config.host(), config.port())
                    .withSettings(settings)
                    .bind(requests::handle));
            return new FeedServer(binding, requests, writer, address(config.host(), binding.localAddress()));
        } catch (IOException e) {
            requests.close();
            writer.close();
            throw new IOException(
                    "cannot listen on " + config.host() + ":" + config.port() + ": " + e.getMessage()
                            + "; choose another --port or --host",
                    e);
        }
    }

    private static URI address(String host, InetSocketAddress bound) {
        String name = host.contains(":") && !host.startsWith("[") ? "[" + host + "]" : host;
        return URI.create("http://" + name + ":" + bound.getPort());
    }

    private static <T> T await(CompletionStage<T> stage) throws IOException {
        try {
            return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            Throwable root = e.getCause();
            while (root.getCause() != null) {
                root = root.getCause();
            }
            throw new IOException(root.getMessage(), e);
        } catch (TimeoutException e) {
            throw new IOException("no answer within 30 s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Where it listens, without a path. */
    public URI address() {
        return address;
    }

    /** Ends when the receiver is closed; fails with an {@code IOException} of one line when its buffer can no longer be written. */
    public CompletionStage<Void> ended() {
        return writer.ended();
    }

    /** Takes no more images, writes and answers those under way, and frees the buffer. */
    @Override
    public void close() throws IOException {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            log.debug("the receiver ends: {}", await(binding.terminate(GOODBYE)));
        } finally {
            requests.close();
            writer.close();
        }
    }
}
