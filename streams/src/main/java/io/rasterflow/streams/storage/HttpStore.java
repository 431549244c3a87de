package io.rasterflow.streams.storage;

import io.rasterflow.streams.storage.StorageException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * HTTP and HTTPS. User and password of a URL are sent to its own host only. Redirects are followed here instead of by the
 * JDK's client, so that loops and a step down from https to http can be told.
 */
final class HttpStore implements ObjectStore {

    private static final long IDLE_MILLIS = 1000;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    /** Answers to HEAD after which the same is asked by GET: signed URLs are valid for one method only. */
    private static final Set<Integer> NO_HEAD = Set.of(400, 403, 405, 501);

    private final StorageConfig config;
    private final Lifetime lifetime;
    private final HttpClient client;

    HttpStore(StorageConfig config, Lifetime lifetime) {
        this.config = config;
        this.lifetime = lifetime;
        AtomicInteger number = new AtomicInteger();
        // Never shut down: a request that is just being cancelled must be able to finish, or it would hold the client's
        // own
        // thread for ever. Idle threads end by themselves.
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, IDLE_MILLIS, TimeUnit.MILLISECONDS, new SynchronousQueue<>(), task -> {
                    Thread thread = new Thread(task, "rasterflow-http-" + number.getAndIncrement());
                    thread.setDaemon(true);
                    return thread;
                });
        this.client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(Duration.ofMillis(config.stallMillis()))
                .executor(threads)
                .build();
    }

    @Override
    public ObjectInfo stat(URI uri) throws IOException {
        HttpCall head = ask(new Ask("HEAD", uri, -1, ""));
        head.subscribe(Discard.draining());
        HttpAnswer answer = new HttpAnswer(uri, head);
        if (NO_HEAD.contains(head.status())) {
            HttpCall get = ask(new Ask("GET", uri, 0, ""));
            get.cancel();
            answer = new HttpAnswer(uri, get);
        }
        answer.requireSuccess();
        return new ObjectInfo(uri, answer.total(), answer.version(), answer.checksum());
    }

    private HttpCall ask(Ask ask) throws IOException {
        return lifetime.await(send(ask), config.stallMillis(), ask.uri, this);
    }

    @Override
    public Page list(URI folder, String after) throws IOException {
        throw new StorageException(
                Kind.OTHER,
                folder,
                "HTTP cannot list a folder",
                "name the shards by a range such as train-{000..099}.tar, or use a manifest");
    }

    @Override
    public CompletableFuture<ObjectPart> open(ObjectInfo object, long from) {
        CompletableFuture<ObjectPart> opened = new CompletableFuture<>();
        CompletableFuture<HttpCall> sent = send(new Ask("GET", object.uri(), from > 0 ? from : -1, object.version()));
        var unused = sent.whenComplete((call, failure) -> {
            if (failure != null) {
                opened.completeExceptionally(failure);
                return;
            }
            try {
                HttpAnswer answer = new HttpAnswer(object.uri(), call);
                answer.requireSuccess();
                if (opened.complete(new ObjectPart(answer.from(), answer.total(), answer.version(), call))) {
                    return;
                }
            } catch (StorageException e) {
                opened.completeExceptionally(e);
            }
            call.cancel();
        });
        var cancelled = opened.whenComplete((part, failure) -> sent.cancel(true));
        return opened;
    }

    /**
     * What is asked for.
     *
     * @param from first byte; -1 for all bytes without a range
     * @param version that the range has to be of; empty for any
     */
    private record Ask(String method, URI uri, long from, String version) {}

    private CompletableFuture<HttpCall> send(Ask ask) {
        CompletableFuture<HttpCall> result = new CompletableFuture<>();
        send(ask, ask.uri, new HashSet<>(), result);
        return result;
    }

    private void send(Ask ask, URI uri, Set<URI> visited, CompletableFuture<HttpCall> result) {
        HttpCall call;
        try {
            visited.add(uri);
            call = HttpCall.send(client, request(ask, uri));
        } catch (IllegalArgumentException e) {
            result.completeExceptionally(
                    new StorageException(Kind.OTHER, ask.uri, "not a usable URL", "write http://host/path"));
            return;
        }
        var cancelled = result.whenComplete((answered, failure) -> {
            if (failure != null) {
                call.cancel();
            }
        });
        var unused = call.responded().whenComplete((responded, failure) -> {
            if (failure != null) {
                result.completeExceptionally(failure);
            } else if (REDIRECTS.contains(call.status())) {
                call.cancel();
                try {
                    send(ask, redirect(ask.uri, uri, call, visited), visited, result);
                } catch (StorageException e) {
                    result.completeExceptionally(e);
                }
            } else if (!result.complete(call)) {
                call.cancel();
            }
        });
    }

    private static HttpRequest request(Ask ask, URI uri) {
        HttpRequest.Builder request = HttpRequest.newBuilder(withoutUser(uri))
                .method(ask.method, HttpRequest.BodyPublishers.noBody())
                .header("Accept-Encoding", "identity");
        if (ask.uri.getUserInfo() != null && sameHost(ask.uri, uri)) {
            byte[] user = ask.uri.getUserInfo().getBytes(StandardCharsets.UTF_8);
            request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(user));
        }
        if (ask.from >= 0) {
            request.header("Range", "bytes=" + ask.from + "-" + (ask.from == 0 ? "0" : ""));
            if (!ask.version.isEmpty()) {
                request.header("If-Range", ask.version);
            }
        }
        return request.build();
    }

    private URI redirect(URI origin, URI uri, HttpCall call, Set<URI> visited) throws StorageException {
        Optional<String> location = call.headers().firstValue("Location");
        URI target;
        try {
            target = uri.resolve(location.orElse(""));
        } catch (IllegalArgumentException e) {
            throw refused(origin, "a redirect to what is no URL");
        }
        String scheme = String.valueOf(target.getScheme());
        if (!scheme.equals("https") && !(scheme.equals("http") && "http".equals(uri.getScheme()))) {
            throw refused(
                    origin, "a redirect from " + uri.getScheme() + " to " + scheme + " at " + Locations.clean(target));
        }
        if (location.orElse("").isBlank() || target.getHost() == null) {
            throw refused(origin, "a redirect to nowhere");
        }
        if (visited.contains(target)) {
            throw refused(origin, "a loop of redirects at " + Locations.clean(target));
        }
        if (visited.size() > config.maxRedirects()) {
            throw refused(origin, "more than " + config.maxRedirects() + " redirects (data.storage.maxRedirects)");
        }
        return target;
    }

    private static StorageException refused(URI uri, String what) {
        return new StorageException(Kind.OTHER, uri, what, "name the final URL of the object");
    }

    private static boolean sameHost(URI one, URI other) {
        return one.getScheme().equals(other.getScheme())
                && String.valueOf(one.getHost()).equalsIgnoreCase(other.getHost())
                && one.getPort() == other.getPort();
    }

    private static URI withoutUser(URI uri) {
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        String port = uri.getPort() < 0 ? "" : ":" + uri.getPort();
        return URI.create(uri.getScheme() + "://" + uri.getHost() + port + uri.getRawPath() + query);
    }

    @Override
    public StorageException explain(URI uri, Throwable failure) {
        return NetworkFailures.explain(uri, failure);
    }

    /**
     * All requests are cancelled before. JDK 17's client has nothing to close: its own thread and connections end once the
     * client is no longer reachable.
     */
    @Override
    public void close() {}
}
