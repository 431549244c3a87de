package io.rasterflow.actors.node;

import io.rasterflow.actors.Failures;
import io.rasterflow.actors.coordinator.CoordinatorActions;
import io.rasterflow.actors.run.PagePlan;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.page.Dashboard;
import io.rasterflow.monitoring.page.Succession;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.typed.Cluster;

/** The live page on the node that runs the monitor: first the one that begins the run, then whichever takes over. */
public final class RunPage {

    private final ActorSystem<?> system;
    private final RunPlan run;
    private final Node.Attached singletons;
    /** Where others reach this node. */
    private final String own;

    public RunPage(ActorSystem<?> system, RunPlan run, Node.Attached singletons) {
        this.system = system;
        this.run = run;
        this.singletons = singletons;
        this.own = Cluster.get(system).selfMember().address().getHost().orElse("localhost");
    }

    /** A plan whose port is not left open: all nodes shall serve the page on the same, so that browsers find the next. */
    public static RunPlan withPort(RunPlan run) {
        PagePlan page = run.page();
        if (!page.served() || page.port() != 0) {
            return run;
        }
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getByName(page.host()))) {
            return run.withPagePort(free.getLocalPort());
        } catch (IOException e) {
            return run; // Whoever serves it will say what is wrong with its address.
        }
    }

    /** Serves it where the plan says, or not at all. */
    public CompletionStage<URI> begin() {
        return serve(run.page().host(), run.page().port(), compared());
    }

    /**
     * Serves it where the plan says, or as near to that as this machine allows: at its own address, on another port.
     *
     * @return a line for people at this node
     */
    CompletionStage<String> inherit() {
        PagePlan page = run.page();
        if (!page.served()) {
            return CompletableFuture.completedFuture("this node has taken over the monitor");
        }
        Set<String> hosts = new LinkedHashSet<>(List.of(page.host()));
        if (!isLoopback(page.host()) && !isWildcard(page.host())) {
            hosts.add(own);
        }
        List<Path> here = compared().stream().filter(Files::isDirectory).toList();
        CompletableFuture<URI> served = CompletableFuture.failedFuture(new IllegalStateException("no place for it"));
        for (int port : new int[] {page.port(), 0}) {
            for (String host : hosts) {
                served = served.exceptionallyCompose(taken -> serve(host, port, here));
            }
        }
        return served.handle((address, failure) -> failure == null
                ? "live page        " + address + " (this node has taken over the monitor)"
                : "this node has taken over the monitor, but not the page: " + Failures.oneLine(failure));
    }

    private List<Path> compared() {
        return run.page().compare().stream().map(Path::of).toList();
    }

    private CompletionStage<URI> serve(String host, int port, List<Path> compared) {
        Path directory = Path.of(run.directory());
        return Dashboard.start(
                system,
                host,
                port,
                singletons.monitor(),
                new ImageArchive(directory),
                Comparison.of(directory, compared),
                Optional.of(new CoordinatorActions(system, singletons.coordinator())),
                succession(host));
    }

    /** Nobody on another machine could go on with a page that only this one can see. */
    private Succession succession(String host) {
        return isLoopback(host)
                ? new Succession(run.name(), own, 0, List::of)
                : new Succession(run.name(), own, run.page().port(), this::heirs);
    }

    private List<URI> heirs() {
        return StreamSupport.stream(Cluster.get(system).state().getMembers().spliterator(), false)
                .filter(member -> member.hasRole(Node.MONITOR))
                .map(Member::address)
                .map(Address::getHost)
                .flatMap(Optional::stream)
                .filter(host -> !host.equals(own) && !isLoopback(host))
                .distinct()
                .map(host -> URI.create("http://" + host + ":" + run.page().port() + "/"))
                .toList();
    }

    private static boolean isLoopback(String host) {
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static boolean isWildcard(String host) {
        try {
            return InetAddress.getByName(host).isAnyLocalAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }
}
