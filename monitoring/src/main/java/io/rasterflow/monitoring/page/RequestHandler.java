package io.rasterflow.monitoring.page;

import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.RunStatus;
import java.io.IOException;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.MediaTypes;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.Host;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.SharedKillSwitch;
import org.apache.pekko.util.ByteString;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Answers one request. All is read-only but {@link ActionRoute}: nothing else that arrives here changes the run. */
final class RequestHandler {

    private static final Logger log = LoggerFactory.getLogger(RequestHandler.class);
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int MAX_STREAMS = 64;
    private static final ContentType EVENT_STREAM = MediaTypes.TEXT_EVENT_STREAM.toContentType();
    private static final ContentType PNG = MediaTypes.IMAGE_PNG.toContentType();
    private static final String IMAGES = "/images/";
    private static final String QUARANTINE = "/quarantine/";
    private static final ContentType METRICS = ContentTypes.parse(Metrics.CONTENT_TYPE);

    /** No script, style, frame or connection but this server's own and its successors'; no other site may read an answer. */
    private static List<HttpHeader> security(Succession succession) {
        return List.of(
                RawHeader.create(
                        "Content-Security-Policy",
                        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
                                + " connect-src 'self'" + succession.connectSources() + ";"
                                + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
                RawHeader.create("X-Content-Type-Options", "nosniff"),
                RawHeader.create("X-Frame-Options", "DENY"),
                RawHeader.create("Referrer-Policy", "no-referrer"),
                RawHeader.create("Cross-Origin-Resource-Policy", "same-origin"),
                RawHeader.create("Cache-Control", "no-store"));
    }

    private final ActorSystem<?> system;
    private final ActorRef<MonitorActor.Command> monitor;
    private final ImageArchive images;
    private final Comparison comparison;
    private final Executor disk;
    private final HostCheck hosts;
    private final SharedKillSwitch streams;
    private final Metrics metrics;
    private final ActionRoute actions;
    private final Succession succession;
    private final List<HttpHeader> security;
    private final Assets assets = new Assets();
    private final AtomicInteger openStreams = new AtomicInteger();

    RequestHandler(
            ActorSystem<?> system,
            ActorRef<MonitorActor.Command> monitor,
            ImageArchive images,
            Comparison comparison,
            HostCheck hosts,
            SharedKillSwitch streams,
            Metrics metrics,
            ActionRoute actions,
            Succession succession) {
        this.system = system;
        this.monitor = monitor;
        this.images = images;
        this.comparison = comparison;
        this.disk = system.dispatchers().lookup(DispatcherSelector.blocking());
        this.hosts = hosts;
        this.streams = streams;
        this.metrics = metrics;
        this.actions = actions;
        this.succession = succession;
        this.security = security(succession);
    }

    CompletionStage<HttpResponse> handle(HttpRequest request) {
        return answer(request).exceptionally(this::failed).thenApply(response -> response.addHeaders(security));
    }

    private CompletionStage<HttpResponse> answer(HttpRequest request) {
        boolean isForUs = isForUs(request);
        if (isForUs && request.getUri().path().equals(ActionRoute.PATH)) {
            return actions.answer(request);
        }
        // What else a client sends along is not read; it must still leave the connection.
        request.discardEntityBytes(system);
        if (!isForUs) {
            return now(text(
                    421, "this page is served to its own host name only; open it by the address printed at its start"));
        }
        if (!request.method().equals(HttpMethods.GET)) {
            return now(text(405, "only GET").addHeader(RawHeader.create("Allow", "GET")));
        }
        String path = request.getUri().path();
        return switch (path) {
            case "/events" -> now(openStream());
            case "/api/status" -> status(status -> entity(ContentTypes.APPLICATION_JSON, PageJson.write(status)));
            case "/metrics" -> status(status -> entity(METRICS, metrics.scrape(status)));
            case "/healthz" -> now(health(request.getUri().query().get("run")));
            case "/api/images" ->
                fromDisk(() -> entity(ContentTypes.APPLICATION_JSON, PageJson.write(Map.of("steps", images.steps()))));
            case "/api/compare" -> ofRuns(request.getUri().query().get("version"), comparison::since);
            case "/api/together" -> ofRuns(request.getUri().query().get("version"), comparison::together);
            default ->
                path.startsWith(IMAGES)
                        ? fromDisk(() -> image(path.substring(IMAGES.length())))
                        : path.startsWith(QUARANTINE)
                                ? thumbnail(path.substring(QUARANTINE.length()))
                                : now(asset(path));
        };
    }

    /** What is served was made anew from pixels; no byte of the sample itself gets here. */
    private CompletionStage<HttpResponse> thumbnail(String file) {
        String name = file.endsWith(".png") ? file.substring(0, file.length() - ".png".length()) : "";
        return AskPattern.<MonitorActor.Command, MonitorActor.Thumbnail>ask(
                        monitor, replyTo -> new MonitorActor.GetThumbnail(name, replyTo), PATIENCE, system.scheduler())
                .thenApply(answer -> answer.png().isEmpty()
                        ? text(404, "no such picture; /api/status lists them as thumbnails")
                        : bytes(PNG, ByteString.fromArray(Base64.getDecoder().decode(answer.png()))));
    }

    /** The one answer that pages of other nodes may read: whether this one is of their run. */
    private HttpResponse health(Optional<String> run) {
        boolean same = run.map(succession.run()::equals).orElse(true);
        HttpResponse answer = same ? text(200, "ok") : text(404, "the page of another run");
        return succession.known() ? answer.addHeader(RawHeader.create("Access-Control-Allow-Origin", "*")) : answer;
    }

    private CompletionStage<HttpResponse> ofRuns(Optional<String> known, LongFunction<Object> answer) {
        String version = known.orElse("0");
        if (!version.matches("\\d{1,18}")) {
            return now(text(400, "version is a number, that of the last answer"));
        }
        return fromDisk(
                () -> entity(ContentTypes.APPLICATION_JSON, PageJson.write(answer.apply(Long.parseLong(version)))));
    }

    private HttpResponse asset(String path) {
        return assets.at(path)
                .map(asset -> bytes(asset.type(), asset.bytes()))
                .orElseGet(() -> text(404, "nothing here; the page is at /"));
    }

    private HttpResponse image(String path) throws IOException {
        ContentType type = path.endsWith(".png") ? PNG : ContentTypes.APPLICATION_JSON;
        return images.file(path)
                .map(file -> bytes(type, ByteString.fromArray(file)))
                .orElseGet(() -> text(404, "no such picture; /api/images lists the steps that have some"));
    }

    /** What may wait for a disk does so on another thread. */
    private CompletionStage<HttpResponse> fromDisk(Callable<HttpResponse> answer) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return answer.call();
                    } catch (Exception e) {
                        log.debug("the run directory cannot be read", e);
                        return text(503, "the run directory cannot be read: " + e.getMessage());
                    }
                },
                disk);
    }

    private boolean isForUs(HttpRequest request) {
        boolean uri = hosts.allows(request.getUri().host().address());
        return uri
                && request.getHeader(Host.class)
                        .map(host -> hosts.allows(host.host().address()))
                        .orElse(true);
    }

    private HttpResponse openStream() {
        if (openStreams.incrementAndGet() > MAX_STREAMS) {
            openStreams.decrementAndGet();
            return text(503, "too many open pages: close one of the " + MAX_STREAMS);
        }
        var frames = EventStream.open(system, monitor, succession)
                .via(streams.flow())
                .watchTermination((unused, done) -> {
                    var closed = done.whenComplete((end, failure) -> openStreams.decrementAndGet());
                    log.trace("a page was opened, it ends with {}", closed);
                    return unused;
                });
        return HttpResponse.create().withEntity(HttpEntities.createChunked(EVENT_STREAM, frames));
    }

    private CompletionStage<HttpResponse> status(Function<RunStatus, HttpResponse> render) {
        return AskPattern.<MonitorActor.Command, RunStatus>ask(
                        monitor, MonitorActor.GetStatus::new, PATIENCE, system.scheduler())
                .thenApply(render);
    }

    private HttpResponse failed(Throwable failure) {
        log.debug("the page could not answer", failure);
        return text(503, "the monitor does not answer; try again");
    }

    private static CompletionStage<HttpResponse> now(HttpResponse response) {
        return CompletableFuture.completedFuture(response);
    }

    static HttpResponse entity(ContentType type, String body) {
        return bytes(type, ByteString.fromString(body));
    }

    private static HttpResponse bytes(ContentType type, ByteString body) {
        return HttpResponse.create().withEntity(HttpEntities.create(type, body));
    }

    static HttpResponse text(int status, String line) {
        return entity(ContentTypes.TEXT_PLAIN_UTF8, line + "\n").withStatus(StatusCodes.get(status));
    }
}
