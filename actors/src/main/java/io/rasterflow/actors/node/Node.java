package io.rasterflow.actors.node;

import io.rasterflow.actors.Failures;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.coordinator.NodeOrder;
import io.rasterflow.actors.coordinator.PekkoClusterView;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.probe.ProbeSet;
import io.rasterflow.actors.run.ProbeSetPlan;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.trainer.InputReport;
import io.rasterflow.actors.trainer.QuarantinePictures;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.actors.trainer.TrainerNode;
import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.alarm.AlarmConfig;
import io.rasterflow.monitoring.alarm.AlarmHooks;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.export.LiveExports;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.journal.JournalConfig;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.Samples;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.MemberStatus;
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

    /** This node is to go: its trainers leave at the next step boundary, then it ends. */
    public record Leave() implements Command {}

    private record Admitted(Coordinator.Admission admission) implements Command {}

    private record RunOver(Coordinator.Outcome outcome) implements Command {}

    private record MemberGone(ClusterEvent.MemberRemoved event) implements Command {}

    private record TrainerEnded(String reason) implements Command {}

    private record Heartbeat() implements Command {}

    private record MonitorHere() implements Command {}

    private record ExportsWanted(RunPlan run) implements Command {}

    private record Noticed(String notice) implements Command {}

    private record GiveUp(String cause) implements Command {}

    private static final Logger LOG = LoggerFactory.getLogger(Node.class);

    private static final Duration HEARTBEAT = Duration.ofSeconds(1);
    /** A name may be taken by a process that is gone but not yet missed. */
    private static final long REFUSALS_MILLIS = 10_000;
    /** The news that the run is over may come after the trainers' end. */
    private static final Duration LAST_NEWS = Duration.ofSeconds(5);

    private static final String GIVEN_UP = "the cluster did not reach this node and has given it up";

    private final ActorContext<Command> context;
    private final NodeSettings settings;
    private final CompletableFuture<String> failure;
    private final String process = UUID.randomUUID().toString();
    private final CompletableFuture<RunPlan> planned = new CompletableFuture<>();
    private final ActorRef<Coordinator.Command> coordinator;
    private final ActorRef<MonitorActor.Command> monitor;
    private final ActorRef<Coordinator.Admission> admissions;
    private final ActorRef<Coordinator.Outcome> outcomes;
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();
    private final List<ActorRef<Trainer.Command>> trainers = new ArrayList<>();
    private Optional<ActorRef<ProbeActor.Command>> probe = Optional.empty();
    private volatile Telemetry telemetry;
    /** Set before telemetry, on nodes with the monitor's role. */
    private volatile AlarmHooks hooks;

    private final List<PeriodicReport> reports = new ArrayList<>();
    private String knownCoordinator = "";
    private int endedTrainers;
    private long refusedSince;
    private boolean leaving;
    /** Whether this node has a reason of its own to end. */
    private boolean ending;

    /** @param failure completed with one line if the node ends before its run, and with an empty one otherwise */
    public static Behavior<Command> create(NodeSettings settings, CompletableFuture<String> failure) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            try {
                Node node = new Node(context, settings, failure);
                timers.startTimerWithFixedDelay(new Heartbeat(), HEARTBEAT);
                return node.joining();
            } catch (UncheckedIOException | IllegalArgumentException e) {
                return unable(Failures.oneLine(e));
            }
        }));
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

    private Node(ActorContext<Command> context, NodeSettings settings, CompletableFuture<String> failure) {
        this.context = context;
        this.settings = settings;
        this.failure = failure;
        ClusterSingleton singletons = ClusterSingleton.get(context.getSystem());
        this.monitor = singletons.init(SingletonActor.of(monitorBehavior(), MONITOR)
                .withSettings(
                        ClusterSingletonSettings.create(context.getSystem()).withRole(MONITOR)));
        settings.plan().ifPresent(this::learn);
        this.coordinator = singletons.init(SingletonActor.of(coordinatorBehavior(), COORDINATOR)
                .withSettings(
                        ClusterSingletonSettings.create(context.getSystem()).withRole(COORDINATOR)));
        this.admissions = context.messageAdapter(Coordinator.Admission.class, Admitted::new);
        this.outcomes = context.messageAdapter(Coordinator.Outcome.class, RunOver::new);
    }

    /** Runs here as long as this is the oldest node with the role. */
    private Behavior<MonitorActor.Command> monitorBehavior() {
        ActorRef<Command> self = context.getSelf();
        boolean inherits = settings.plan().isEmpty();
        return Behaviors.setup(onThisNode -> {
            self.tell(new MonitorHere());
            Executor reading = onThisNode.getSystem().dispatchers().lookup(DispatcherSelector.blocking());
            return MonitorActor.create(planned.thenApplyAsync(
                    run -> MonitorPast.of(run, inherits, settings.name(), this::journal), reading));
        });
    }

    /** Page and exports move with the monitor. On the node that begins the run, whoever started that serves the page. */
    private Behavior<Command> onMonitorHere(MonitorHere message) {
        context.pipeToSelf(planned, (run, never) -> new ExportsWanted(run));
        if (settings.plan().isEmpty()) {
            context.pipeToSelf(
                    planned.thenCompose(
                            run -> new RunPage(context.getSystem(), run, new Attached(coordinator, monitor)).inherit()),
                    (notice, failure) -> new Noticed(failure == null ? notice : Failures.oneLine(failure)));
        }
        return Behaviors.same();
    }

    /** Closed last, for the journals are written until then. */
    private Behavior<Command> onExportsWanted(ExportsWanted message) {
        if (!message.run().exports().isEmpty()) {
            resources.addLast(LiveExports.start(
                    Path.of(message.run().directory()), message.run().exports()));
        }
        return Behaviors.same();
    }

    private Behavior<Command> onNoticed(Noticed message) {
        settings.notices().accept(message.notice());
        return Behaviors.same();
    }

    /** What the monitor says while it is on this node: journalled first. */
    private void journal(Event.Alarm alarm) {
        Telemetry opened = telemetry;
        if (opened != null) {
            opened.journal().append(alarm);
            hooks.tell(alarm);
        }
    }

    /** Runs here as long as this is the oldest node with the role. */
    private Behavior<Coordinator.Command> coordinatorBehavior() {
        ActorRef<Command> self = context.getSelf();
        return Behaviors.setup(onThisNode -> {
            RunPlan run = planned.getNow(null);
            if (run == null) {
                self.tell(new GiveUp("this node has become the coordinator's but was never told what the run is"));
                return Behaviors.ignore();
            }
            return Coordinator.create(
                    settings.name(),
                    run,
                    telemetry,
                    new PekkoClusterView(onThisNode.getSystem()),
                    settings.plan().isEmpty());
        });
    }

    /** What the run is; from then on this node journals. */
    private void learn(RunPlan ofRun) {
        if (settings.roles().contains(MONITOR)) {
            // The control plane does not prove who speaks: what comes over it must not start programs here.
            AlarmConfig alarms = settings.plan().isPresent()
                    ? ofRun.alarms()
                    : ofRun.alarms().withoutCommand();
            if (!alarms.equals(ofRun.alarms())) {
                LOG.warn("monitor.alarms.command runs only on the node that begins the run, not here");
            }
            hooks = own(new AlarmHooks(alarms, ofRun.name()));
        }
        try {
            telemetry = new Telemetry(
                    own(Journal.open(
                            Path.of(ofRun.directory()), settings.name(), JournalConfig.keeping(ofRun.journal()))),
                    monitor,
                    settings.reporting());
        } catch (IOException e) {
            throw new UncheckedIOException("the journal cannot be opened: " + e.getMessage(), e);
        }
        telemetry.record(ThisMachine.event(settings.name()));
        planned.complete(ofRun);
    }

    private Behavior<Command> joining() {
        ActorRef<ClusterEvent.MemberRemoved> removals =
                context.messageAdapter(ClusterEvent.MemberRemoved.class, MemberGone::new);
        Cluster.get(context.getSystem())
                .subscriptions()
                .tell(Subscribe.create(removals, ClusterEvent.MemberRemoved.class));
        onHeartbeat();
        return Behaviors.receive(Command.class)
                .onMessage(Heartbeat.class, message -> onHeartbeat())
                .onMessage(Admitted.class, message -> onAdmitted(message.admission()))
                .onMessage(Attach.class, this::onAttach)
                .onMessage(RunOver.class, this::onRunOver)
                .onMessage(MemberGone.class, this::onMemberGone)
                .onMessage(TrainerEnded.class, this::onTrainerEnded)
                .onMessage(Leave.class, this::onLeave)
                .onMessage(MonitorHere.class, this::onMonitorHere)
                .onMessage(ExportsWanted.class, this::onExportsWanted)
                .onMessage(Noticed.class, this::onNoticed)
                .onMessage(GiveUp.class, message -> giveUp(message.cause()))
                .onMessage(Shutdown.class, message -> end())
                .onSignal(PostStop.class, stop -> onStop())
                .build();
    }

    private Behavior<Command> onHeartbeat() {
        reports.forEach(PeriodicReport::heartbeat);
        coordinator.tell(new Coordinator.JoinNode(settings.name(), process, Coordinator.PROTOCOL, admissions));
        return Behaviors.same();
    }

    private Behavior<Command> onAdmitted(Coordinator.Admission admission) {
        if (admission instanceof NodeOrder order) {
            return onOrder(order);
        }
        if (admission instanceof Coordinator.Refused refused) {
            long now = System.nanoTime() / 1_000_000;
            refusedSince = refusedSince == 0 ? now : refusedSince;
            return now - refusedSince > REFUSALS_MILLIS ? giveUp("refused: " + refused.reason()) : Behaviors.same();
        }
        Coordinator.Welcome welcome = (Coordinator.Welcome) admission;
        refusedSince = 0;
        boolean first = knownCoordinator.isEmpty();
        if (!welcome.coordinator().equals(knownCoordinator)) {
            knownCoordinator = welcome.coordinator();
            coordinator.tell(new Coordinator.Follow(outcomes));
            probe.ifPresent(actor -> coordinator.tell(new Coordinator.JoinProbe(settings.name(), actor)));
        }
        if (first) {
            takePart(welcome.plan(), welcome.nextStep());
        }
        return Behaviors.same();
    }

    private Behavior<Command> onOrder(NodeOrder order) {
        if (order instanceof NodeOrder.Log log) {
            LogLevel.set(log.level());
            LOG.info("log level {}, asked by {}", log.level(), log.who());
            return Behaviors.same();
        }
        LOG.info("this node is drained, asked by {}", ((NodeOrder.Drain) order).who());
        return onLeave(new Leave());
    }

    private void takePart(RunPlan run, long nextStep) {
        try {
            if (!planned.isDone()) {
                learn(run);
            }
            Executor waiting = context.getSystem().dispatchers().lookup(DispatcherSelector.blocking());
            boolean computes =
                    settings.roles().contains(TRAINER) || settings.roles().contains(PROBE);
            String device = computes ? run.train().device() : "cpu";
            reports.add(new DiskReport(settings.name(), Path.of(run.directory()), telemetry, waiting));
            reports.add(new UsageReport(
                    settings.name(), () -> Engines.gpuMemory(device, run.replicas()), telemetry, waiting));
            Optional<DataSet> shards = Optional.empty();
            if (!run.data().feed().used() || settings.roles().contains(PROBE)) {
                shards = Optional.of(own(run.data().openTrain()));
                DataReport.tell(settings.name(), shards.get(), telemetry);
                reports.add(new CacheReport(settings.name(), shards.get(), telemetry, waiting));
            }
            if (settings.roles().contains(TRAINER)) {
                startTrainers(
                        run,
                        nextStep,
                        run.data().feed().used() ? own(run.data().openSamples(run.name())) : shards.get());
            }
            if (settings.roles().contains(PROBE)) {
                DataSet validation = own(run.data().openValidation());
                probe = Optional.of(context.spawn(
                        ProbeActor.create(new ProbeActor.ProbeNode(
                                settings.name(),
                                run,
                                validation,
                                probeSets(run, shards.get(), validation),
                                telemetry,
                                coordinator)),
                        PROBE,
                        ProbeActor.dispatcher()));
            }
        } catch (IOException | RuntimeException e) {
            LOG.debug("node {} cannot take part", settings.name(), e);
            coordinator.tell(new Coordinator.NodeFailed(settings.name(), Failures.oneLine(e)));
        }
    }

    /** Those that the run names; without any its own images. */
    private List<ProbeSet> probeSets(RunPlan run, DataSet train, DataSet validation) throws IOException {
        List<ProbeSet> sets = new ArrayList<>();
        for (ProbeSetPlan set : run.probe().sets()) {
            sets.add(own(ProbeSet.open(set, run.data())));
        }
        return sets.isEmpty()
                ? List.of(new ProbeSet("", train, validation, run.probe().classes()))
                : sets;
    }

    private void startTrainers(RunPlan run, long nextStep, Samples images) {
        DataPlane dataPlane = own(DataPlane.bind(settings.dataPlane(), run.exchange()));
        Executor io = context.getSystem().dispatchers().lookup(DispatcherSelector.blocking());
        TrainerNode node = new TrainerNode(
                settings.name(),
                TrainerNode.identity(run, images),
                run,
                nextStep,
                images,
                dataPlane,
                telemetry,
                new InputReport(settings.name(), run, images, telemetry),
                new QuarantinePictures(settings.name(), run, images, telemetry, io),
                coordinator,
                context.messageAdapter(TrainerNode.Ended.class, ended -> new TrainerEnded(ended.reason())),
                io);
        for (int replica = 0; replica < run.replicas(); replica++) {
            trainers.add(context.spawn(Trainer.create(node, replica), TRAINER + "-" + replica, Trainer.dispatcher()));
        }
    }

    private Behavior<Command> onAttach(Attach message) {
        message.replyTo().tell(new Attached(coordinator, monitor));
        return Behaviors.same();
    }

    /** The node that began the run stays up to print the summary; every other has nothing left to do. */
    private Behavior<Command> onRunOver(RunOver message) {
        if (settings.plan().isPresent()) {
            return Behaviors.same();
        }
        if (settings.roles().contains(COORDINATOR)) {
            // It may be the coordinator's own: the others shall hear of the end first.
            context.scheduleOnce(LAST_NEWS, context.getSelf(), new Shutdown());
            return Behaviors.same();
        }
        return end();
    }

    private Behavior<Command> onMemberGone(MemberGone message) {
        if (!message.event().member().hasRole(COORDINATOR)) {
            return Behaviors.same();
        }
        MemberStatus own = Cluster.get(context.getSystem()).selfMember().status();
        if (own == MemberStatus.down() || own == MemberStatus.removed()) {
            // It is on the smaller side of a cut, where the others are taken for lost before it is itself.
            return giveUp(GIVEN_UP + "; start it again");
        }
        boolean left = StreamSupport.stream(
                        Cluster.get(context.getSystem()).state().getMembers().spliterator(), false)
                .anyMatch(member -> member.hasRole(COORDINATOR)
                        && !member.address().equals(message.event().member().address()));
        return left
                ? Behaviors.same()
                : giveUp("the coordinator's node " + message.event().member().address()
                        + " is gone and no other node has that role; continue with: train --resume");
    }

    private Behavior<Command> onLeave(Leave message) {
        leaving = true;
        if (endedTrainers == trainers.size()) {
            return end();
        }
        trainers.forEach(trainer -> trainer.tell(new Trainer.Leave()));
        return Behaviors.same();
    }

    private Behavior<Command> onTrainerEnded(TrainerEnded message) {
        endedTrainers++;
        LOG.info("a trainer has ended: {}", message.reason());
        if (endedTrainers < trainers.size() || settings.plan().isPresent()) {
            return Behaviors.same();
        }
        if (leaving) {
            return end();
        }
        context.scheduleOnce(LAST_NEWS.multipliedBy(2), context.getSelf(), new GiveUp(message.reason()));
        return Behaviors.same();
    }

    private Behavior<Command> giveUp(String cause) {
        LOG.error("this node stops: {}", cause);
        failure.complete(cause);
        return end();
    }

    private Behavior<Command> end() {
        ending = true;
        return Behaviors.stopped();
    }

    private <T extends AutoCloseable> T own(T resource) {
        resources.push(resource);
        return resource;
    }

    /** Also when the cluster has given this node up, which ends its actor system. */
    private Behavior<Command> onStop() {
        if (!ending) {
            failure.complete(GIVEN_UP + ", or it failed (--debug shows why); start it again");
        }
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
