package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.WireMessage;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Liveness;
import io.rasterflow.actors.membership.Membership;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Pace;
import io.rasterflow.actors.membership.RestorePoint;
import io.rasterflow.actors.membership.Roster;
import io.rasterflow.actors.membership.Rules;
import io.rasterflow.actors.membership.Standing;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.monitoring.action.ActionAnswer;
import io.rasterflow.monitoring.action.ActionRequest;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cluster singleton that makes a run of many nodes. Who trains and from which step is decided by {@link Membership};
 * this actor carries what happens to it and its orders to the trainers, has checkpoints evaluated and decides how the run
 * ended. Gradients never pass through it. When its node is lost another one goes on from what the trainers announce.
 */
public final class Coordinator {

    public sealed interface Command {}

    /**
     * A node says that it is there, once a second; a node that is new to this coordinator is answered.
     *
     * @param process unique per JVM
     * @param protocol see {@link #PROTOCOL}
     */
    public record JoinNode(String node, String process, int protocol, ActorRef<Admission> replyTo)
            implements Command, WireMessage {}

    /** The answer to {@link JoinNode}, and what a node is told later. */
    public sealed interface Admission extends WireMessage permits Welcome, Refused, NodeOrder {}

    /**
     * Take part.
     *
     * @param nextStep about which the run will take next, so that a node can prepare for it
     * @param coordinator changes when another node has become the coordinator's, which knows nobody yet
     */
    public record Welcome(RunPlan plan, long nextStep, String coordinator) implements Admission {}

    /** Do not. */
    public record Refused(String reason) implements Admission {}

    /**
     * A trainer says where it stands, twice a second and at every change.
     *
     * @param identity as in {@link io.rasterflow.actors.trainer.TrainerNode}
     */
    public record Announce(Standing standing, String identity, ActorRef<Trainer.Command> trainer)
            implements Command, WireMessage {}

    /** Who is in a trainer's generation, as {@link Trainer.Describe} asked it. */
    public record Described(Roster roster) implements Command, WireMessage {}

    /** What a trainer found out about another. */
    public record Found(DataAddress suspect, Liveness liveness) implements Command, WireMessage {}

    /** A probe actor is ready to evaluate checkpoints. */
    public record JoinProbe(String node, ActorRef<ProbeActor.Command> probe) implements Command, WireMessage {}

    /** A checkpoint is complete on disk. */
    public record CheckpointWritten(long step, String directory, String weightsSha256)
            implements Command, WireMessage {}

    /** The weights that {@link Trainer.Save} asked for are on disk. */
    public record Saved(long step, String weightsSha256) implements Command, WireMessage {}

    /** A checkpoint has been evaluated. */
    public record Evaluated(long step, double validationLoss) implements Command, WireMessage {}

    /** A checkpoint could not be evaluated. */
    public record EvaluationFailed(long step, String cause) implements Command, WireMessage {}

    /**
     * A trainer has ended by itself.
     *
     * @param fatal whether the same would happen to every rank
     */
    public record TrainerFailed(DataAddress address, String node, String cause, boolean fatal)
            implements Command, WireMessage {}

    /** A node cannot take part, or will not come back. */
    public record NodeFailed(String node, String cause) implements Command, WireMessage {}

    /** Stop at a step boundary, with a checkpoint. */
    public record Stop() implements Command, WireMessage {}

    /** A user asks something of the run. */
    public record Ask(ActionRequest request, ActorRef<Answered> replyTo) implements Command, WireMessage {}

    /** The answer to {@link Ask}. */
    public record Answered(ActionAnswer answer) implements WireMessage {}

    /** Tell me how the run ends. */
    public record Follow(ActorRef<Outcome> replyTo) implements Command, WireMessage {}

    /**
     * How a run ended.
     *
     * @param outcome completed, stopped or failed
     * @param step optimizer steps taken
     * @param detail one line for a failure, otherwise empty
     * @param weightsSha256 of the final weights, empty for a failure
     */
    public record Outcome(String outcome, long step, String detail, String weightsSha256) implements WireMessage {
        public boolean completed() {
            return outcome.equals("completed");
        }
    }

    private record TrainerGone(DataAddress address) implements Command {}

    private record ProbeGone(ActorRef<ProbeActor.Command> probe) implements Command {}

    private record Tick() implements Command {}

    /** Rises when messages or frames change: nodes of different programs do not train together. */
    public static final int PROTOCOL = 10;

    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);
    private static final Duration TICK = Duration.ofMillis(Pace.TICK_MILLIS);

    private final ActorContext<Command> context;
    private final String node;
    private final RunPlan plan;
    private final Telemetry telemetry;
    private final ClusterView cluster;
    private final String incarnation = UUID.randomUUID().toString();

    // Members
    private final Membership membership;
    private final MembershipLog log;
    private final Trainers trainers = new Trainers();
    private final Nodes nodes = new Nodes();
    private final Wishes wishes;
    private final Evaluations evaluations = new Evaluations();

    // The end
    private final Set<ActorRef<Outcome>> followers = new LinkedHashSet<>();
    private Optional<Outcome> outcome = Optional.empty();
    private Optional<Saved> saved = Optional.empty();
    private boolean stopping;
    private long lastCheckpoint = -1;

    /**
     * @param node name of the node that hosts the singleton at the moment
     * @param takesOver whether another node's coordinator has begun the run
     */
    public static Behavior<Command> create(
            String node, RunPlan plan, Telemetry telemetry, ClusterView cluster, boolean takesOver) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Tick(), TICK);
            return new Coordinator(context, node, plan, telemetry, cluster, takesOver).coordinating();
        }));
    }

    private Coordinator(
            ActorContext<Command> context,
            String node,
            RunPlan plan,
            Telemetry telemetry,
            ClusterView cluster,
            boolean takesOver) {
        this.context = context;
        this.node = node;
        this.plan = plan;
        this.telemetry = telemetry;
        this.cluster = cluster;
        Rules rules = new Rules(
                plan.worldSize(),
                plan.minNodes(),
                plan.train().microBatches(),
                plan.train().steps(),
                plan.exchange().silenceMillis());
        this.membership = new Membership(
                rules, cluster, this::restorePoint, new GenerationFile(Path.of(plan.directory()), takesOver));
        this.log = new MembershipLog(node, membership, telemetry);
        this.wishes = new Wishes(node, membership, nodes, telemetry);
    }

    private Behavior<Command> coordinating() {
        return Behaviors.receive(Command.class)
                .onMessage(JoinNode.class, this::onJoinNode)
                .onMessage(Announce.class, this::onAnnounce)
                .onMessage(Described.class, message -> obey(membership.described(message.roster(), now())))
                .onMessage(Found.class, this::onFound)
                .onMessage(TrainerGone.class, this::onTrainerGone)
                .onMessage(TrainerFailed.class, this::onTrainerFailed)
                .onMessage(NodeFailed.class, this::onNodeFailed)
                .onMessage(Tick.class, this::onTick)
                .onMessage(JoinProbe.class, this::onJoinProbe)
                .onMessage(ProbeGone.class, this::onProbeGone)
                .onMessage(CheckpointWritten.class, this::onCheckpointWritten)
                .onMessage(Saved.class, this::onSaved)
                .onMessage(Evaluated.class, this::onEvaluated)
                .onMessage(EvaluationFailed.class, this::onEvaluationFailed)
                .onMessage(Ask.class, this::onAsk)
                .onMessage(Stop.class, this::onStop)
                .onMessage(Follow.class, this::onFollow)
                .build();
    }

    private Behavior<Command> ended() {
        return Behaviors.receive(Command.class)
                .onMessage(JoinNode.class, this::onJoinNode)
                .onMessage(Follow.class, this::onFollow)
                .onMessage(Ask.class, this::onAskTooLate)
                .onAnyMessage(message -> Behaviors.same())
                .build();
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    // ---- Nodes and trainers

    private Behavior<Command> onJoinNode(JoinNode message) {
        cluster.heardNode(message.replyTo()); // Until it ends, a node that is refused counts as a member, too.
        Optional<String> refusal = nodes.refusal(message, now());
        if (refusal.isPresent()) {
            LOG.warn("refused: {}", refusal.get());
            message.replyTo().tell(new Refused(refusal.get()));
        } else if (nodes.heard(message, now())) {
            LOG.info("node {} joins", message.node());
            log.record(message.node(), "up", "");
            message.replyTo().tell(new Welcome(plan, membership.nextStep(), incarnation));
        }
        return Behaviors.same();
    }

    private Behavior<Command> onAnnounce(Announce message) {
        if (trainers.refuses(message)) {
            return Behaviors.same();
        }
        DataAddress address = message.standing().address();
        if (trainers.add(address, message.trainer())) {
            context.watchWith(message.trainer(), new TrainerGone(address));
        }
        cluster.heardTrainer(address.processId(), message.trainer());
        return obey(membership.heard(message.standing(), now()));
    }

    private Behavior<Command> onFound(Found message) {
        if (message.liveness() == Liveness.GONE) {
            cluster.gone(message.suspect().processId());
            return obey(membership.gone(message.suspect().processId(), "its process is gone", now()));
        }
        return obey(membership.found(message.suspect(), message.liveness(), now()));
    }

    private Behavior<Command> onTrainerGone(TrainerGone message) {
        trainers.remove(message.address());
        return obey(membership.ended(message.address(), "it has ended", now()));
    }

    private Behavior<Command> onTrainerFailed(TrainerFailed message) {
        if (stopping) {
            return obey(membership.ended(message.address(), message.cause(), now()));
        }
        String who = describe(message.address(), message.node());
        if (message.fatal() || !membership.begun()) {
            return fail(who + " failed: " + message.cause());
        }
        LOG.warn("{} failed: {}", who, message.cause());
        Behavior<Command> next = obey(membership.ended(message.address(), message.cause(), now()));
        // Nobody starts the trainers of this process again.
        return outcome.isEmpty() && membership.trainers() == 0 && message.node().equals(node)
                ? fail(who + " failed: " + message.cause())
                : next;
    }

    private String describe(DataAddress address, String ofNode) {
        int rank = membership
                .generation()
                .map(generation -> generation.members().indexOf(address))
                .orElse(-1);
        return rank < 0 ? "node " + ofNode : "rank " + rank + " on " + ofNode;
    }

    private Behavior<Command> onNodeFailed(NodeFailed message) {
        if (membership.begun() && membership.trainers() > 0) {
            LOG.warn("node {} is lost: {}", message.node(), message.cause());
            log.record(message.node(), "down", message.cause());
            return Behaviors.same();
        }
        return stopping ? Behaviors.same() : fail("node " + message.node() + " failed: " + message.cause());
    }

    private Behavior<Command> onTick(Tick message) {
        log.tick(now());
        return obey(Stream.concat(membership.tick(now()).stream(), wishes.tick(now()).stream())
                .toList());
    }

    // ---- Membership's orders

    private Behavior<Command> obey(List<Order> orders) {
        for (Order order : orders) {
            if (order instanceof Order.ToTrainer toTrainer) {
                trainers.tell(toTrainer);
            } else if (order instanceof Order.Formed formed) {
                onFormed(formed);
            } else if (order instanceof Order.Dropped dropped) {
                log.dropped(dropped);
            } else if (order instanceof Order.Wait wait) {
                log.waits(wait.reason(), now());
            } else if (order instanceof Order.Fail failure) {
                return fail(failure.cause());
            }
        }
        return endIfDone();
    }

    private void onFormed(Order.Formed formed) {
        log.formed(formed);
        if (formed.first().origin().checkpoint().startsWith(plan.directory())) {
            lastCheckpoint = formed.first().firstStep();
        }
    }

    private Optional<RestorePoint> restorePoint() {
        try {
            return Optional.of(RestorePoints.newest(plan));
        } catch (IOException e) {
            context.getSelf().tell(new NodeFailed(node, "the checkpoints cannot be read: " + e.getMessage()));
            return Optional.empty();
        }
    }

    // ---- Checkpoints and their evaluation

    private Behavior<Command> onJoinProbe(JoinProbe message) {
        if (evaluations.join(message.probe())) {
            context.watchWith(message.probe(), new ProbeGone(message.probe()));
        }
        return Behaviors.same();
    }

    private Behavior<Command> onProbeGone(ProbeGone message) {
        evaluations.gone(message.probe());
        return endIfDone();
    }

    private Behavior<Command> onCheckpointWritten(CheckpointWritten message) {
        long step = message.step();
        lastCheckpoint = step;
        boolean extra = wishes.writes() && !plan.checkpointDue(step);
        boolean asked = wishes.written(step);
        List<ProbeKind> probes = asked ? plan.probe().kinds() : extra || stopping ? List.of() : plan.probesDue(step);
        if (asked || !evaluations.isUnderWay(step)) {
            evaluations.begin(new ProbeActor.Evaluate(step, message.directory(), probes, context.getSelf()));
        }
        return Behaviors.same();
    }

    private Behavior<Command> onSaved(Saved message) {
        saved = Optional.of(message);
        long step = message.step();
        if (wishes.saved(step)) {
            String directory =
                    Checkpoint.directory(Path.of(plan.directory()), step).toString();
            evaluations.begin(
                    new ProbeActor.Evaluate(step, directory, plan.probe().kinds(), context.getSelf()));
        }
        return obey(membership.saved(now()));
    }

    private Behavior<Command> onEvaluated(Evaluated message) {
        evaluations.over(message.step());
        if (!evaluations.isUnderWay(message.step())) {
            wishes.evaluated(message.step(), message.validationLoss());
        }
        // Whoever is rank 0 by the next checkpoint.
        trainers.tellAll(new Trainer.Validated(message.step(), message.validationLoss()));
        return endIfDone();
    }

    private Behavior<Command> onEvaluationFailed(EvaluationFailed message) {
        evaluations.over(message.step());
        return fail("step " + message.step() + " could not be evaluated: " + message.cause());
    }

    // ---- What users ask

    private Behavior<Command> onAsk(Ask message) {
        Wishes.Reply reply = wishes.ask(message.request(), now());
        message.replyTo().tell(new Answered(reply.answer()));
        return obey(reply.orders());
    }

    private Behavior<Command> onAskTooLate(Ask message) {
        message.replyTo().tell(new Answered(new ActionAnswer(false, "the run is over")));
        return Behaviors.same();
    }

    // ---- The end

    private Behavior<Command> onStop(Stop message) {
        stopping = true;
        return obey(membership.stop(now()));
    }

    private Behavior<Command> onFollow(Follow message) {
        outcome.ifPresentOrElse(known -> message.replyTo().tell(known), () -> followers.add(message.replyTo()));
        return Behaviors.same();
    }

    private Behavior<Command> endIfDone() {
        if (outcome.isPresent()) {
            return ended();
        }
        if (membership.stopped()) {
            // What a user had saved earlier is not how it ends.
            Optional<Saved> last = saved.filter(known -> known.step() >= lastCheckpoint);
            return end(
                    "stopped",
                    last.map(Saved::step).orElse(Math.max(0, lastCheckpoint)),
                    "",
                    last.map(Saved::weightsSha256).orElse(""));
        }
        boolean evaluated = evaluations.done() || stopping;
        if (!membership.finished() || lastCheckpoint < plan.train().steps() || !evaluated) {
            return Behaviors.same();
        }
        List<Standing> ranks = membership.ranks();
        String hash = ranks.get(0).weightsSha256();
        for (int rank = 1; rank < ranks.size(); rank++) {
            if (!ranks.get(rank).weightsSha256().equals(hash)) {
                return fail("ranks 0 and " + rank + " ended with different weights (" + hash + " and "
                        + ranks.get(rank).weightsSha256()
                        + "): the replicas have diverged, do not use this run");
            }
        }
        return end("completed", plan.train().steps(), "", hash);
    }

    private Behavior<Command> fail(String cause) {
        String advice = lastCheckpoint < 0
                ? ""
                : "; the last checkpoint is step " + lastCheckpoint + ", continue with: train --resume --run "
                        + plan.directory();
        return end("failed", Math.max(0, Math.max(membership.step(), lastCheckpoint)), cause + advice, "");
    }

    private Behavior<Command> end(String how, long step, String detail, String weightsSha256) {
        wishes.end();
        membership.close();
        trainers.tellAll(new Trainer.Retire("the run is over"));
        Outcome result = new Outcome(how, step, detail, weightsSha256);
        outcome = Optional.of(result);
        telemetry.record(new Event.RunEnded(System.currentTimeMillis(), node, step, how, detail));
        followers.forEach(follower -> follower.tell(result));
        return ended();
    }
}
