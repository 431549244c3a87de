package io.rasterflow.actors.node;

import io.rasterflow.actors.Failures;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.trainer.InputReport;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.actors.trainer.TrainerNode;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.Samples;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.ClusterSingleton;
import org.apache.pekko.cluster.typed.ClusterSingletonSettings;
import org.apache.pekko.cluster.typed.SingletonActor;
import org.apache.pekko.cluster.typed.Subscribe;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The guardian of one JVM: joins the run and starts the actors of the node's roles. */
public final class Node {

    public static final String COORDINATOR = "coordinator";
    public static final String MONITOR = "monitor";
    public static final String TRAINER = "trainer";
    public static final String PROBE = "probe";
    public static final List<String> ROLES = List.of(COORDINATOR, MONITOR, TRAINER, PROBE);

    public sealed interface Command {}

    /** Asks for the run's singletons, local or not. */
    public record Attach(ActorRef<AttachReply> replyTo) implements Command {}

    /** The answer to {@link Attach}. */
    public sealed interface AttachReply {}

    /** The run's singletons. */
    public record Attached(ActorRef<Coordinator.Command> coordinator, ActorRef<MonitorActor.Command> monitor)
            implements AttachReply {}

    /**
     * This node cannot start.
     *
     * @param cause one line
     */
    public record Unable(String cause) implements AttachReply {}

    /** Ends this node's actor system. */
    public record Shutdown() implements Command {}

    private record Welcomed(RunPlan plan) implements Command {}

    private record RunOver(Coordinator.Outcome outcome) implements Command {}

    private record MemberGone(ClusterEvent.MemberRemoved event) implements Command {}

    private static final Logger LOG = LoggerFactory.getLogger(Node.class);

    private final ActorContext<Command> context;
    private final NodeSettings settings;
    private final ActorRef<Coordinator.Command> coordinator;
    private final ActorRef<MonitorActor.Command> monitor;
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();
    private Telemetry telemetry;

    public static Behavior<Command> create(NodeSettings settings) {
        return Behaviors.setup(context -> {
            try {
                return new Node(context, settings).joining();
            } catch (UncheckedIOException e) {
                return unable(Failures.oneLine(e));
            }
        });
    }

    /** Tells whoever asks, so that nobody waits for a node that will not come. */
    private static Behavior<Command> unable(String cause) {
        return Behaviors.receive(Command.class)
                .onMessage(Attach.class, message -> {
                    message.replyTo().tell(new Unable(cause));
                    return Behaviors.same();
                })
                .onMessage(Shutdown.class, message -> Behaviors.stopped())
                .onAnyMessage(message -> Behaviors.same())
                .build();
    }

    private Node(ActorContext<Command> context, NodeSettings settings) {
        this.context = context;
        this.settings = settings;
        ClusterSingleton singletons = ClusterSingleton.get(context.getSystem());
        this.monitor = singletons.init(SingletonActor.of(monitorBehavior(), MONITOR)
                .withSettings(
                        ClusterSingletonSettings.create(context.getSystem()).withRole(MONITOR)));
        settings.plan().ifPresent(this::openTelemetry);
        this.coordinator = singletons.init(SingletonActor.of(coordinatorBehavior(), COORDINATOR)
                .withSettings(
                        ClusterSingletonSettings.create(context.getSystem()).withRole(COORDINATOR)));
    }

    /** A resumed run's curves begin where its journals left off. */
    private Behavior<MonitorActor.Command> monitorBehavior() {
        RunState state = new RunState();
        settings.plan()
                .filter(RunPlan::resume)
                .map(plan -> Path.of(plan.directory()))
                .ifPresent(directory -> {
                    try (Stream<Event> events = Journals.read(directory)) {
                        events.forEach(state::apply);
                    } catch (IOException e) {
                        LOG.warn(
                                "the journals of {} cannot be read, so the page begins empty: {}",
                                directory,
                                e.getMessage());
                    }
                });
        return MonitorActor.create(state);
    }

    private Behavior<Coordinator.Command> coordinatorBehavior() {
        return settings.plan()
                .map(plan -> Coordinator.create(settings.name(), plan, telemetry))
                .orElseGet(Behaviors::empty);
    }

    private void openTelemetry(RunPlan plan) {
        try {
            telemetry = new Telemetry(own(Journal.open(Path.of(plan.directory()), settings.name())), monitor);
        } catch (IOException e) {
            throw new UncheckedIOException("the journal cannot be opened: " + e.getMessage(), e);
        }
    }

    /** Until the coordinator has sent the plan. */
    private Behavior<Command> joining() {
        coordinator.tell(new Coordinator.JoinNode(
                settings.name(),
                context.messageAdapter(Coordinator.Welcome.class, welcome -> new Welcomed(welcome.plan()))));
        coordinator.tell(new Coordinator.Follow(context.messageAdapter(Coordinator.Outcome.class, RunOver::new)));
        ActorRef<ClusterEvent.MemberRemoved> removals =
                context.messageAdapter(ClusterEvent.MemberRemoved.class, MemberGone::new);
        Cluster.get(context.getSystem())
                .subscriptions()
                .tell(Subscribe.create(removals, ClusterEvent.MemberRemoved.class));
        return Behaviors.receive(Command.class)
                .onMessage(Welcomed.class, this::onWelcomed)
                .onMessage(Attach.class, this::onAttach)
                .onMessage(RunOver.class, this::onRunOver)
                .onMessage(MemberGone.class, this::onMemberGone)
                .onMessage(Shutdown.class, message -> Behaviors.stopped())
                .onSignal(PostStop.class, stop -> onStop())
                .build();
    }

    private Behavior<Command> onWelcomed(Welcomed message) {
        RunPlan plan = message.plan();
        try {
            if (telemetry == null) {
                openTelemetry(plan);
            }
            Optional<DataSet> shards = Optional.empty();
            if (!plan.data().feed().used() || settings.roles().contains(PROBE)) {
                shards = Optional.of(own(plan.data().openTrain()));
                report(shards.get());
            }
            if (settings.roles().contains(TRAINER)) {
                startTrainers(
                        plan, plan.data().feed().used() ? own(plan.data().openSamples(plan.name())) : shards.get());
            }
            if (settings.roles().contains(PROBE)) {
                DataSet validation = own(plan.data().openValidation());
                context.spawn(
                        ProbeActor.create(new ProbeActor.ProbeNode(
                                settings.name(), plan, shards.get(), validation, telemetry, coordinator)),
                        PROBE,
                        ProbeActor.dispatcher());
            }
        } catch (IOException | RuntimeException e) {
            LOG.debug("node {} cannot take part", settings.name(), e);
            coordinator.tell(new Coordinator.TrainerFailed(-1, settings.name(), Failures.oneLine(e)));
        }
        return Behaviors.same();
    }

    /** What is known before a sample is read: shards that are cut or damaged, of which the rest is used. */
    private void report(DataSet shards) {
        shards.damages()
                .forEach((shard, damage) -> telemetry.record(new Event.BadSample(
                        System.currentTimeMillis(),
                        settings.name(),
                        -1,
                        shards.shardName(shard),
                        damage.offset(),
                        "",
                        -1,
                        "the shard is damaged from there on, the samples before are used: " + damage.fault(),
                        "")));
    }

    private void startTrainers(RunPlan plan, Samples images) {
        DataPlane dataPlane = own(DataPlane.bind(settings.dataPlane(), plan.exchange()));
        TrainerNode node = new TrainerNode(
                settings.name(),
                plan,
                images,
                dataPlane,
                telemetry,
                new InputReport(settings.name(), plan, images, telemetry),
                coordinator,
                context.getSystem().dispatchers().lookup(DispatcherSelector.blocking()));
        for (int replica = 0; replica < plan.replicas(); replica++) {
            context.spawn(Trainer.create(node, replica), TRAINER + "-" + replica, Trainer.dispatcher());
        }
    }

    private Behavior<Command> onAttach(Attach message) {
        message.replyTo().tell(new Attached(coordinator, monitor));
        return Behaviors.same();
    }

    /** The coordinator's own node stays up to print the summary; every other node has nothing left to do. */
    private Behavior<Command> onRunOver(RunOver message) {
        return settings.roles().contains(COORDINATOR) ? Behaviors.same() : Behaviors.stopped();
    }

    private Behavior<Command> onMemberGone(MemberGone message) {
        if (message.event().member().hasRole(COORDINATOR) && !settings.roles().contains(COORDINATOR)) {
            LOG.error(
                    "the coordinator's node {} is gone: this node stops",
                    message.event().member().address());
            return Behaviors.stopped();
        }
        return Behaviors.same();
    }

    private <T extends AutoCloseable> T own(T resource) {
        resources.push(resource);
        return resource;
    }

    private Behavior<Command> onStop() {
        while (!resources.isEmpty()) {
            try {
                resources.pop().close();
            } catch (Exception e) {
                LOG.warn("closing {}", settings.name(), e);
            }
        }
        return Behaviors.same();
    }
}
