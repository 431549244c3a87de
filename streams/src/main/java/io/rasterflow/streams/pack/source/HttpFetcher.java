package io.rasterflow.streams.pack.source;

import java.io.IOException;
import java.net.ConnectException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Downloads images over HTTP(S), by as many threads as call it. Every wait has an end: an attempt with its redirects and
 * its body within the time limit, attempts within their number. Redirects are followed up to {@value #MAX_REDIRECTS} times.
 */
final class HttpFetcher {

    private static final int MAX_REDIRECTS = 5;
    private static final long MAX_BACKOFF_MILLIS = 60_000;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<Integer> PASSING = Set.of(408, 421, 425, 429);
    private static final String ROBOT = "rasterflow";

    private final FetchConfig config;
    private final String userAgent;
    private final HostLimits hosts;
    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .proxy(ProxySelector.getDefault())
            .build();

    /** @param version of this program, which the servers see */
    HttpFetcher(FetchConfig config, String version) {
        this.config = config;
        this.userAgent = ROBOT + "/" + version;
        this.hosts = new HostLimits(config.perHost());
    }

    /**
     * Downloads one image.
     *
     * @throws SampleFailure naming the cause, after the last attempt
     */
    byte[] fetch(String url) throws SampleFailure, InterruptedException {
        URI uri = Urls.parse(url);
        for (int attempt = 0; ; attempt++) {
            SampleFailure failure;
            hosts.acquire(uri.getHost());
            try {
                return attempt(uri);
            } catch (SampleFailure e) {
                failure = e;
            } finally {
                hosts.release(uri.getHost());
            }
            if (!failure.isPassing()) {
                throw failure;
            }
            if (attempt == config.retries()) {
                throw attempt == 0
                        ? failure
                        : new SampleFailure(failure.getMessage() + " (" + (attempt + 1) + " attempts)");
            }
            Thread.sleep(pauseMillis(attempt, failure));
        }
    }

    private long pauseMillis(int attempt, SampleFailure failure) {
        double doubled = config.backoffMillis() * Math.pow(2, attempt);
        double varied = doubled * (0.75 + 0.5 * ThreadLocalRandom.current().nextDouble());
        return Math.min(MAX_BACKOFF_MILLIS, Math.max((long) varied, failure.afterMillis()));
    }

    private byte[] attempt(URI start) throws SampleFailure, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(config.timeoutMillis());
        URI uri = start;
        for (int redirects = 0; ; redirects++) {
            HttpResponse<byte[]> response = send(uri, start, deadline);
            int status = response.statusCode();
            if (status == 200) {
                return response.body();
            }
            Optional<String> location = response.headers().firstValue("Location");
            if (!REDIRECTS.contains(status) || location.isEmpty()) {
                throw refused(response);
            }
            if (redirects == MAX_REDIRECTS) {
                throw new SampleFailure("more than " + MAX_REDIRECTS + " redirects");
            }
            try {
                uri = Urls.parse(
                        uri.resolve(location.get().strip().replace(" ", "%20")).toString());
            } catch (IllegalArgumentException e) {
                throw new SampleFailure("redirected to " + Urls.redact(location.get()) + ", which is no address");
            }
        }
    }

    private static SampleFailure refused(HttpResponse<byte[]> response) {
        int status = response.statusCode();
        boolean passing = status >= 500 || PASSING.contains(status);
        return passing
                ? SampleFailure.passing("HTTP " + status, retryAfterMillis(response))
                : new SampleFailure("HTTP " + status);
    }

    /** The header's seconds; a date counts for nothing. */
    private static long retryAfterMillis(HttpResponse<byte[]> response) {
        return response.headers()
                .firstValue("Retry-After")
                .filter(value -> value.matches("\\d{1,6}"))
                .map(value -> TimeUnit.SECONDS.toMillis(Long.parseLong(value)))
                .orElse(0L);
    }

    private HttpResponse<byte[]> send(URI uri, URI start, long deadline) throws SampleFailure, InterruptedException {
        CompletableFuture<HttpResponse<byte[]>> exchange;
        try {
            exchange = client.sendAsync(request(uri, start), this::body);
        } catch (IllegalArgumentException e) {
            throw new SampleFailure("no usable address: " + Urls.redact(uri.toString()));
        }
        try {
            return exchange.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw SampleFailure.passing("no answer within --timeout (" + config.timeoutMillis() + " ms)", 0);
        } catch (ExecutionException e) {
            throw failure(e.getCause(), uri);
        } finally {
            exchange.cancel(true); // does nothing to one that has ended
        }
    }

    private HttpRequest request(URI uri, URI start) {
        HttpRequest.Builder request = HttpRequest.newBuilder(withoutUser(uri))
                .header("User-Agent", userAgent)
                .header("Accept", "image/*,*/*;q=0.5");
        boolean sameServer = start.getScheme().equalsIgnoreCase(uri.getScheme())
                && start.getRawAuthority().equals(uri.getRawAuthority());
        if (uri.getUserInfo() != null && sameServer) {
            byte[] user = uri.getUserInfo().getBytes(StandardCharsets.UTF_8);
            request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(user));
        }
        return request.build();
    }

    private static URI withoutUser(URI uri) {
        return uri.getRawUserInfo() == null
                ? uri
                : URI.create(uri.toString().replace("//" + uri.getRawUserInfo() + "@", "//"));
    }

    /** Looks at the headers before the body is received. */
    private HttpResponse.BodySubscriber<byte[]> body(HttpResponse.ResponseInfo info) {
        if (info.statusCode() != 200) {
            return new UnreadBody(CompletableFuture.completedFuture(new byte[0]));
        }
        if (!config.ignoreRobotsTag()) {
            Optional<String> directive = RobotsTag.forbidding(info.headers().allValues("X-Robots-Tag"), ROBOT);
            if (directive.isPresent()) {
                return refusing("X-Robots-Tag: " + directive.get() + "; --ignore-robots-tag takes it nevertheless");
            }
        }
        long length = info.headers().firstValueAsLong("Content-Length").orElse(0);
        if (length > config.maxBytes()) {
            return refusing(length + " bytes, larger than --max-bytes (" + config.maxBytes() + ")");
        }
        return new LimitedBody(config.maxBytes());
    }

    private static HttpResponse.BodySubscriber<byte[]> refusing(String cause) {
        return new UnreadBody(CompletableFuture.failedFuture(new SampleFailure(cause)));
    }

    private static SampleFailure failure(Throwable thrown, URI uri) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof SampleFailure failure) {
                return failure;
            }
        }
        if (thrown instanceof ConnectException) {
            return SampleFailure.passing("cannot connect to " + uri.getHost(), 0);
        }
        String message = thrown.getMessage() == null ? "" : ": " + Urls.redact(firstLine(thrown.getMessage()));
        String cause = thrown.getClass().getSimpleName() + message;
        return thrown instanceof IOException ? SampleFailure.passing(cause, 0) : new SampleFailure(cause);
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("");
    }
}
