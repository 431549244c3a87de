package io.rasterflow.monitoring.page;

import io.rasterflow.monitoring.action.ActionAnswer;
import io.rasterflow.monitoring.action.ActionKind;
import io.rasterflow.monitoring.action.ActionRequest;
import io.rasterflow.monitoring.action.RunActions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.model.AttributeKeys;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.RemoteAddress;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one path by which a run can be changed. There is no login yet, so whoever reaches it must be on this machine, and no
 * other web page may make the user's browser reach it:
 *
 * <pre>
 *   POST /api/actions HTTP/1.1
 *   Host: 127.0.0.1:8080                     this server, as {@link HostCheck} says
 *   Origin: http://127.0.0.1:8080            the same, where there is one: every browser sends it
 *   Content-Type: application/json           what no form can send, and
 *   X-Rasterflow-Action: 1                   what no script of another site may send unasked
 *
 *   {"action":"drain","node":"trainer-2"}
 * </pre>
 *
 * <p>The page has to listen on a loopback address, and the request to come from one. The answer is an {@link ActionAnswer}:
 * 202 when it is accepted, 409 when the run refuses. {@code GET} tells whether any of it is there.
 */
final class ActionRoute {

    static final String PATH = "/api/actions";
    static final String HEADER = "X-Rasterflow-Action";

    private static final Logger log = LoggerFactory.getLogger(ActionRoute.class);
    private static final String EXAMPLE = "an action is one JSON object, such as {\"action\":\"pause\"}";
    private static final long MAX_BYTES = 4_096;
    private static final long PATIENCE_MILLIS = 5_000;

    private final ActorSystem<?> system;
    private final Optional<RunActions> actions;
    private final boolean loopback;

    /**
     * @param host that the page listens on
     * @param actions of the run; empty where nobody may change it
     */
    ActionRoute(ActorSystem<?> system, String host, Optional<RunActions> actions) {
        this.system = system;
        this.actions = actions;
        this.loopback = isLoopback(host);
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            log.debug("the page listens on a name that is no address", e);
            return false;
        }
    }

    private record Availability(boolean available, String reason) {}

    private record Body(String action, String node, String level) {}

    /** Answers a request to {@link #PATH}, whatever its method. */
    CompletionStage<HttpResponse> answer(HttpRequest request) {
        String closed = closed(request);
        if (request.method().equals(HttpMethods.GET)) {
            request.discardEntityBytes(system);
            return now(json(200, new Availability(closed.isEmpty(), closed)));
        }
        if (!request.method().equals(HttpMethods.POST)) {
            return refuse(request, 405, "only GET and POST")
                    .thenApply(response -> response.addHeader(RawHeader.create("Allow", "GET, POST")));
        }
        if (!closed.isEmpty()) {
            return refuse(request, 403, closed);
        }
        if (!isSameOrigin(request)) {
            return refuse(request, 403, "this comes from another web page; open the page of the run itself");
        }
        if (!request.entity().getContentType().mediaType().equals(ContentTypes.APPLICATION_JSON.mediaType())) {
            return refuse(request, 415, "an action is Content-Type: application/json");
        }
        if (request.getHeader(HEADER).isEmpty()) {
            return refuse(request, 403, "an action needs the header " + HEADER + ": 1");
        }
        return request.entity()
                .withSizeLimit(MAX_BYTES)
                .toStrict(PATIENCE_MILLIS, system)
                .handle((body, failure) -> failure == null
                        ? act(body.getData().utf8String(), from(request))
                        : now(RequestHandler.text(413, "an action has " + MAX_BYTES + " bytes at most")))
                .thenCompose(Function.identity());
    }

    /** Why no action is served; empty where they are. */
    private String closed(HttpRequest request) {
        if (actions.isEmpty()) {
            return "this page only shows the run";
        }
        boolean local = request.getAttribute(AttributeKeys.remoteAddress)
                .flatMap(RemoteAddress::getAddress)
                .map(InetAddress::isLoopbackAddress)
                .orElse(false);
        return loopback && local
                ? ""
                : "a run is changed from its own machine only, for the page has no login; set monitor.host=127.0.0.1 and"
                        + " come through ssh -L";
    }

    /** Ports count here: whatever else listens on this machine is another site. */
    private static boolean isSameOrigin(HttpRequest request) {
        Optional<String> host = request.getHeader("Host").map(HttpHeader::value);
        return request.getHeader("Origin")
                .map(origin -> host.isPresent() && origin.value().equals("http://" + host.get()))
                .orElse(true);
    }

    private static String from(HttpRequest request) {
        return request.getAttribute(AttributeKeys.remoteAddress)
                .flatMap(RemoteAddress::getAddress)
                .map(InetAddress::getHostAddress)
                .orElse("");
    }

    private CompletionStage<HttpResponse> act(String json, String who) {
        ActionRequest asked;
        try {
            Body body = PageJson.read(json, Body.class);
            if (body == null || body.action() == null) {
                return now(RequestHandler.text(400, EXAMPLE));
            }
            asked = new ActionRequest(ActionKind.of(body.action()), body.node(), body.level(), who);
        } catch (IOException e) {
            log.debug("no action: {}", json, e);
            return now(RequestHandler.text(400, EXAMPLE));
        } catch (IllegalArgumentException e) {
            return now(RequestHandler.text(400, e.getMessage()));
        }
        return actions.orElseThrow().ask(asked).handle((answer, failure) -> {
            if (failure != null) {
                log.debug("no answer to {}", asked, failure);
                return RequestHandler.text(
                        503, "the run's coordinator does not answer; look at the events, then try again");
            }
            return json(answer.accepted() ? 202 : 409, answer);
        });
    }

    private CompletionStage<HttpResponse> refuse(HttpRequest request, int status, String line) {
        log.debug("refused {} from {}: {}", request.method().name(), from(request), line);
        request.discardEntityBytes(system);
        return now(RequestHandler.text(status, line));
    }

    private static HttpResponse json(int status, Object value) {
        return RequestHandler.entity(ContentTypes.APPLICATION_JSON, PageJson.write(value))
                .withStatus(status);
    }

    private static CompletionStage<HttpResponse> now(HttpResponse response) {
        return CompletableFuture.completedFuture(response);
    }
}
