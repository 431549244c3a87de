package io.rasterflow.launch;

import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.exchange.DataPlaneConfig;
import io.rasterflow.actors.node.Node;
import io.rasterflow.actors.node.NodeSettings;
import io.rasterflow.actors.node.RunPage;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.RunConfig;
import io.rasterflow.config.Secret;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Reporting;
import io.rasterflow.monitoring.monitor.RunSummary;
import java.io.PrintStream;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A run on this machine from its start to its outcome: the first node with the coordinator, monitor and probe actors,
 * the trainers either beside them or as processes of their own, and the live page.
 */
public final class TrainRun implements AutoCloseable {

    private final ClusterNode node;
    private final Node.Attached singletons;
    private final Optional<LocalNodes> processes;
    private final Optional<URI> page;
    private final CompletableFuture<Void> shown;
    private final CompletableFuture<Coordinator.Outcome> outcome = new CompletableFuture<>();

    private TrainRun(
            ClusterNode node,
            Node.Attached singletons,
            Optional<LocalNodes> processes,
            Optional<URI> page,
            CompletableFuture<Void> shown) {
        this.shown = shown;
        this.node = node;
        this.singletons = singletons;
        this.processes = processes;
        this.page = page;
    }

    /**
     * @param plan what {@code config} says about training
     * @param out where progress is shown
     * @param terminal whether {@code out} is one
     */
    public static TrainRun start(RunConfig config, RunPlan plan, PrintStream out, boolean terminal) {
        return start(config, plan, out, terminal, Reporting.ALL);
    }

    /**
     * The same, with what this node reports under somebody's eyes.
     */
    public static TrainRun start(
            RunConfig config, RunPlan asPlanned, PrintStream out, boolean terminal, Reporting reporting) {
        RunPlan plan = RunPage.withPort(asPlanned);
        Path runDirectory = Path.of(plan.directory());
        boolean elsewhere = config.cluster().nodes() > 1 || !config.cluster().spawn();
        Set<String> roles = elsewhere
                ? Set.of(Node.COORDINATOR, Node.MONITOR, Node.PROBE)
                : Set.of(Node.COORDINATOR, Node.MONITOR, Node.PROBE, Node.TRAINER);
        String host = config.cluster().host();
        NodeSettings settings = new NodeSettings(
                "main", roles, Optional.of(plan), new DataPlaneConfig(host, 0, Secret.load()), reporting, out::println);
        ClusterNode node = ClusterNode.first(settings, host, config.cluster().port());
        LocalNodes children = null;
        try {
            Node.Attached singletons = node.attach();
            CompletableFuture<Void> shown = new CompletableFuture<>();
            Optional<URI> page = plan.page().served()
                    ? Optional.of(servePage(new RunPage(node.system(), plan, singletons)))
                    : Optional.empty();
            singletons
                    .monitor()
                    .tell(new MonitorActor.Subscribe(spawn(node, Console.create(out, terminal, shown), "console")));
            if (elsewhere && config.cluster().spawn()) {
                int nodes = config.cluster().nodes();
                children = LocalNodes.start(
                        nodes,
                        node.address(),
                        runDirectory,
                        config.cluster().restarts(),
                        index -> GpuShare.environment(plan.train().device(), index, nodes),
                        (name, cause) -> singletons.coordinator().tell(new Coordinator.NodeFailed(name, cause)));
            }
            TrainRun run = new TrainRun(node, singletons, Optional.ofNullable(children), page, shown);
            run.follow();
            return run;
        } catch (RuntimeException e) {
            node.close();
            if (children != null) {
                children.close();
            }
            throw e;
        }
    }

    private static URI servePage(RunPage page) {
        try {
            return page.begin().toCompletableFuture().get(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the page started", e);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw new IllegalStateException("the page did not start within 30 s", e);
        }
    }

    private static <T> ActorRef<T> spawn(ClusterNode node, Behavior<T> behavior, String name) {
        return node.system().systemActorOf(behavior, name, Props.empty());
    }

    private void follow() {
        Behavior<Coordinator.Outcome> follower = Behaviors.receive(Coordinator.Outcome.class)
                .onMessage(Coordinator.Outcome.class, message -> {
                    outcome.complete(message);
                    return Behaviors.stopped();
                })
                .build();
        singletons.coordinator().tell(new Coordinator.Follow(spawn(node, follower, "follower")));
        // Nobody would answer any more if this node were removed from the cluster or its guardian failed.
        node.system()
                .getWhenTerminated()
                .thenRun(() -> outcome.complete(new Coordinator.Outcome(
                        "failed", 0, "this node's actor system ended before the run did; --debug shows why", "")))
                .exceptionally(failure -> null);
    }

    /** Address of the live page, if it is served. */
    public Optional<URI> page() {
        return page;
    }

    /** Tells of every event from now on, on a thread of the actor system. */
    public void onEvent(Consumer<Event> listener) {
        Behavior<Event> behavior = Behaviors.receive(Event.class)
                .onAnyMessage(event -> {
                    listener.accept(event);
                    return Behaviors.same();
                })
                .build();
        singletons.monitor().tell(new MonitorActor.Subscribe(spawn(node, behavior, "listener")));
    }

    /** The trainer processes of this machine, if the run has any. */
    public Optional<LocalNodes> processes() {
        return processes;
    }

    /** Address that further nodes can join. */
    public String address() {
        return node.address();
    }

    /** Blocks until the run is over and its progress has been shown. */
    public Coordinator.Outcome await() {
        Coordinator.Outcome result = outcome.join();
        shown.completeOnTimeout(null, 2, TimeUnit.SECONDS).join();
        return result;
    }

    /** Asks for a stop at the next step boundary, with a checkpoint, and waits for it. */
    public void stop(Duration patience) {
        singletons.coordinator().tell(new Coordinator.Stop());
        try {
            outcome.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // The caller ends the processes either way.
            return;
        }
    }

    /** What the run came to, as the monitor saw it. */
    public RunSummary summary() {
        return AskPattern.<MonitorActor.Command, MonitorActor.Summarised>ask(
                        singletons.monitor(),
                        MonitorActor.GetSummary::new,
                        Duration.ofSeconds(20),
                        node.system().scheduler())
                .toCompletableFuture()
                .join()
                .summary();
    }

    @Override
    public void close() {
        node.close();
        processes.ifPresent(LocalNodes::close);
    }
}
