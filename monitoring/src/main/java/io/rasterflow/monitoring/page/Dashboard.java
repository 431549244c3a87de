package io.rasterflow.monitoring.page;

import io.rasterflow.monitoring.action.RunActions;
import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.monitor.MonitorActor;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.SharedKillSwitch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves a run over HTTP: {@code /} the live page, {@code /events} its server-sent events, {@code /api/status} JSON,
 * {@code /metrics} Prometheus text, {@code /healthz}, {@code /api/images} and {@code /images/} the pictures of its
 * predictions, {@code /quarantine/} those of bad samples, {@code /api/compare} the other runs drawn beside it, {@code /api/together} what they and it tell together, and {@code /api/actions}, which changes the run. All of
 * the page is packed in this artefact; no other server is asked. There is no login: listen on a loopback address unless the network is trusted. Only there can the run be changed.
 */
public final class Dashboard {

    private static final Logger log = LoggerFactory.getLogger(Dashboard.class);
    private static final Duration GOODBYE = Duration.ofSeconds(1);

    private Dashboard() {}

    /** Serves a page that only shows the run. */
    public static CompletionStage<URI> start(
            ActorSystem<?> system, String host, int port, ActorRef<MonitorActor.Command> monitor, ImageArchive images) {
        return start(system, host, port, monitor, images, Comparison.NONE, Optional.empty(), Succession.NONE);
    }

    /**
     * Begins to serve, until the actor system ends.
     *
     * @param host address or name to listen on
     * @param port port, or 0 for any free one
     * @param images the run's pictures
     * @param comparison other runs that are drawn beside it; closed when the actor system ends, or the page cannot be served
     * @param actions of the run; served where {@code host} is a loopback address
     * @param succession where the page goes on when this one is gone
     * @return the address of the page; fails with a {@link DashboardException} whose message is one line for people when
     *     the port is in use or the address is not this machine's
     */
    public static CompletionStage<URI> start(
            ActorSystem<?> system,
            String host,
            int port,
            ActorRef<MonitorActor.Command> monitor,
            ImageArchive images,
            Comparison comparison,
            Optional<RunActions> actions,
            Succession succession) {
        SharedKillSwitch streams = KillSwitches.shared("pages");
        Metrics metrics = new Metrics();
        RequestHandler handler = new RequestHandler(
                system,
                monitor,
                images,
                comparison,
                new HostCheck(host, List.of(machine(), succession.host())),
                streams,
                metrics,
                new ActionRoute(system, host, actions),
                succession);
        return Http.get(system)
                .newServerAt(host, port)
                .adaptSettings(settings -> settings.withRemoteAddressAttribute(true))
                .bind(handler::handle)
                .handle((binding, failure) -> {
                    if (failure != null) {
                        metrics.close();
                        comparison.close();
                        throw explain(host, port, failure);
                    }
                    endWith(system, binding, streams, metrics, comparison);
                    return address(host, binding.localAddress());
                });
    }

    /** Open pages would hold up the end of the actor system: their streams are closed as soon as it begins. */
    private static void endWith(
            ActorSystem<?> system,
            ServerBinding binding,
            SharedKillSwitch streams,
            Metrics metrics,
            Comparison comparison) {
        var ending = binding.addToCoordinatedShutdown(GOODBYE, system)
                .whenTerminationSignalIssued()
                .thenRun(() -> {
                    streams.shutdown();
                    metrics.close();
                    comparison.close();
                });
        log.debug("the page listens on {}, {}", binding.localAddress(), ending);
    }

    private static URI address(String host, InetSocketAddress bound) {
        String name = bound.getAddress() != null && bound.getAddress().isAnyLocalAddress() ? machine() : host;
        String bracketed = name.contains(":") && !name.startsWith("[") ? "[" + name + "]" : name;
        return URI.create("http://" + bracketed + ":" + bound.getPort() + "/");
    }

    private static String machine() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            log.debug("this machine has no name", e);
            return "localhost";
        }
    }

    private static DashboardException explain(String host, int port, Throwable failure) {
        String where = "cannot serve the page on " + host + ":" + port + ": ";
        Throwable root = failure;
        while (root.getCause() != null && (root instanceof CompletionException || !(root instanceof BindException))) {
            root = root.getCause();
        }
        String reason = String.valueOf(root.getMessage()).toLowerCase(Locale.ROOT);
        if (reason.contains("in use")) {
            return new DashboardException(where + "the port is in use; choose another with monitor.port=0", failure);
        }
        if (reason.contains("permission denied")) {
            return new DashboardException(
                    where + "the port is reserved for the administrator; choose one above 1023 with monitor.port=0",
                    failure);
        }
        return new DashboardException(
                where + root.getMessage() + "; choose an address of this machine with monitor.host=127.0.0.1", failure);
    }
}
