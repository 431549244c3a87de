package io.rasterflow.launch;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.rasterflow.actors.control.ControlPort;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;

/** The actor system of a node, behind its control port. */
public final class ControlPlane {

    /** Of the actor systems of all nodes, which have to have the same. */
    static final String SYSTEM = "rasterflow";

    /** In which a connection must have said that it is a node's. */
    private static final long GREETING_MILLIS = 10_000;
    /** Another process may take a port that was free just now. */
    private static final int ATTEMPTS = 5;

    private ControlPlane() {}

    /**
     * Starts the actor system; its control port is closed with it.
     *
     * @param host where this node listens, and others reach it
     * @param port 0 takes a free one
     * @throws IllegalStateException one line, if that address cannot be listened on
     */
    public static <T> ActorSystem<T> start(Behavior<T> guardian, String host, int port, Set<String> roles) {
        Config settings = ConfigFactory.parseResources("rasterflow-pekko.conf").withFallback(ConfigFactory.load());
        long maxFrameBytes = settings.getBytes("pekko.remote.artery.advanced.maximum-frame-size");
        ControlPort control = ControlPort.listen(host, port, maxFrameBytes, GREETING_MILLIS);
        try {
            ActorSystem<T> system = behind(control, guardian, host, roles, settings);
            system.getWhenTerminated().whenComplete((done, failure) -> control.close());
            return system;
        } catch (RuntimeException e) {
            control.close();
            throw new IllegalStateException("the node's actor system did not start: " + root(e).getMessage(), e);
        }
    }

    private static <T> ActorSystem<T> behind(
            ControlPort control, Behavior<T> guardian, String host, Set<String> roles, Config settings) {
        for (int attempt = 1; ; attempt++) {
            int inner = freePort();
            control.passTo(inner);
            Config config = ConfigFactory.parseMap(Map.of(
                            "pekko.remote.artery.canonical.hostname", host,
                            "pekko.remote.artery.canonical.port", control.port(),
                            "pekko.remote.artery.bind.hostname",
                                    InetAddress.getLoopbackAddress().getHostAddress(),
                            "pekko.remote.artery.bind.port", inner,
                            "pekko.cluster.roles", List.copyOf(roles)))
                    .withFallback(settings);
            try {
                return ActorSystem.create(guardian, SYSTEM, config);
            } catch (RuntimeException e) {
                if (attempt == ATTEMPTS || !(root(e) instanceof BindException)) {
                    throw e;
                }
            }
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no port of the loopback interface is free: " + e.getMessage(), e);
        }
    }

    private static Throwable root(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
