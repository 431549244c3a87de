package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.WireMessage;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cluster singleton that makes a run of many nodes: it gathers trainers, gives them ranks and a generation, has
 * checkpoints evaluated, notices the loss of a rank and decides how the run ended. Gradients never pass through it: it
 * arranges the all-reduce, the data plane carries it.
 */
public final class Coordinator {

    public sealed interface Command {}

    /** A node asks what to do; it is answered with the plan. */
    public record JoinNode(String node, ActorRef<Welcome> replyTo) implements Command, WireMessage {}

    /** The answer to {@link JoinNode}. */
    public record Welcome(RunPlan plan) implements WireMessage {}

    /** A trainer is ready to become a rank. */
    public record JoinTrainer(String node, DataAddress address, ActorRef<Trainer.Command> trainer)
            implements Command, WireMessage {}

    /** A probe actor is ready to evaluate checkpoints. */
    public record JoinProbe(String node, ActorRef<ProbeActor.Command> probe) implements Command, WireMessage {}

    /** A checkpoint is complete on disk. */
    public record CheckpointWritten(long step, String directory, String weightsSha256)
            implements Command, WireMessage {}

    /** A checkpoint has been evaluated. */
    public record Evaluated(long step, double validationLoss) implements Command, WireMessage {}

    /** A checkpoint could not be evaluated. */
    public record EvaluationFailed(long step, String cause) implements Command, WireMessage {}

    /** A rank has taken the last step. */
    public record Finished(int rank, long step, String weightsSha256) implements Command, WireMessage {}

    /** A rank could not go on. */
    public record TrainerFailed(int rank, String node, String cause) implements Command, WireMessage {}

    /** A draining rank has left. */
    public record Left(int rank) implements Command, WireMessage {}

    /** Stop at a step boundary, with a checkpoint. */
    public record Stop() implements Command, WireMessage {}

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

    private record TrainerGone(ActorRef<Trainer.Command> trainer) implements Command {}

    private record StillGone(ActorRef<Trainer.Command> trainer) implements Command {}

    private record StillWaiting() implements Command {}

    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);

    private static final Duration LAST_WORDS = Duration.ofMillis(300);

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final String node;
    private final RunPlan plan;
    private final Telemetry telemetry;

    // Members
    private final List<JoinTrainer> trainers = new ArrayList<>();
    private final Map<Integer, Finished> finished = new HashMap<>();
    private final List<Integer> left = new ArrayList<>();
    private Optional<ActorRef<ProbeActor.Command>> probe = Optional.empty();
    private long generation;

    // Evaluations
    private final Queue<ProbeActor.Evaluate> waitingForProbe = new ArrayDeque<>();
    private int evaluating;

    // The end
    private final List<ActorRef<Outcome>> followers = new ArrayList<>();
    private Optional<Outcome> outcome = Optional.empty();
    private boolean stopping;
    private long lastCheckpoint = -1;

    /** @param node name of the node that hosts the singleton at the moment */
    public static Behavior<Command> create(String node, RunPlan plan, Telemetry telemetry) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers -> new Coordinator(context, timers, node, plan, telemetry).gathering()));
    }

    private Coordinator(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            String node,
            RunPlan plan,
            Telemetry telemetry) {
        this.context = context;
        this.timers = timers;
        this.node = node;
        this.plan = plan;
        this.telemetry = telemetry;
    }

    /** Before training: waits until as many trainers as the plan asks for are here. */
    private Behavior<Command> gathering() {
        timers.startTimerWithFixedDelay(new StillWaiting(), Duration.ofSeconds(10));
        return Behaviors.receive(Command.class)
                .onMessage(JoinNode.class, this::onJoinNode)
                .onMessage(JoinTrainer.class, this::onJoinTrainer)
                .onMessage(JoinProbe.class, this::onJoinProbe)
                .onMessage(TrainerGone.class, this::onTrainerGoneBeforeTraining)
                .onMessage(TrainerFailed.class, this::onTrainerFailed)
                .onMessage(StillWaiting.class, this::onStillWaiting)
                .onMessage(Stop.class, stop -> end("stopped", "", ""))
                .onMessage(Follow.class, this::onFollow)
                .build();
    }

    private Behavior<Command> training() {
        return Behaviors.receive(Command.class)
                .onMessage(JoinNode.class, this::onJoinNode)
                .onMessage(JoinTrainer.class, this::onLateTrainer)
                .onMessage(JoinProbe.class, this::onJoinProbe)
                .onMessage(CheckpointWritten.class, this::onCheckpointWritten)
                .onMessage(Evaluated.class, this::onEvaluated)
                .onMessage(EvaluationFailed.class, this::onEvaluationFailed)
                .onMessage(Finished.class, this::onFinished)
                .onMessage(TrainerFailed.class, this::onTrainerFailed)
                .onMessage(Left.class, this::onLeft)
                .onMessage(TrainerGone.class, this::onTrainerGone)
                .onMessage(StillGone.class, this::onStillGone)
                .onMessage(StillWaiting.class, message -> Behaviors.same())
                .onMessage(Stop.class, this::onStop)
                .onMessage(Follow.class, this::onFollow)
                .build();
    }

    private Behavior<Command> ended() {
        return Behaviors.receive(Command.class)
                .onMessage(JoinNode.class, this::onJoinNode)
                .onMessage(Follow.class, this::onFollow)
                .onAnyMessage(message -> Behaviors.same())
                .build();
    }

    private Behavior<Command> onJoinNode(JoinNode message) {
        LOG.info("node {} joins", message.node());
        membership(message.node(), "up", "");
        message.replyTo().tell(new Welcome(plan));
        return Behaviors.same();
    }

    private Behavior<Command> onJoinTrainer(JoinTrainer message) {
        trainers.add(message);
        context.watchWith(message.trainer(), new TrainerGone(message.trainer()));
        return trainers.size() < plan.worldSize() ? Behaviors.same() : begin();
    }

    private Behavior<Command> onLateTrainer(JoinTrainer message) {
        LOG.warn(
                "trainer {} on {} is not needed: the run has its {} trainers",
                message.address(),
                message.node(),
                plan.worldSize());
        return Behaviors.same();
    }

    private Behavior<Command> onTrainerGoneBeforeTraining(TrainerGone message) {
        trainers.stream()
                .filter(trainer -> trainer.trainer().equals(message.trainer()))
                .findFirst()
                .ifPresent(gone -> {
                    trainers.remove(gone);
                    membership(gone.node(), "down", "before training");
                });
        return Behaviors.same();
    }

    private Behavior<Command> onStillWaiting(StillWaiting message) {
        LOG.info("waiting for trainers: {} of {} are here", trainers.size(), plan.worldSize());
        return Behaviors.same();
    }

    /** Forms the generation: ranks in the order of node name and replica, so that it does not depend on who was first. */
    private Behavior<Command> begin() {
        timers.cancelAll();
        generation++;
        trainers.sort(Comparator.comparing(JoinTrainer::node)
                .thenComparing(trainer -> trainer.address().replica()));
        Generation members = new Generation(
                generation,
                trainers.stream().map(JoinTrainer::address).collect(Collectors.toList()),
                plan.train().microBatches());
        Optional<Path> checkpoint;
        try {
            checkpoint = plan.resume()
                    ? Checkpoint.latest(Path.of(plan.directory()))
                    : Optional.of(plan.origin())
                            .filter(origin -> !origin.isEmpty())
                            .map(Path::of);
        } catch (IOException e) {
            return fail("the checkpoints cannot be read: " + e.getMessage());
        }
        long firstStep = checkpoint.map(Checkpoint::step).orElse(0L);
        String directory = checkpoint.map(Path::toString).orElse("");
        membership("", "generation", "ranks " + describeRanks());
        for (int rank = 0; rank < trainers.size(); rank++) {
            trainers.get(rank).trainer().tell(new Trainer.Begin(members, rank, firstStep, directory));
        }
        lastCheckpoint = plan.resume() && checkpoint.isPresent() ? firstStep : -1;
        return training();
    }

    private String describeRanks() {
        return IntStream.range(0, trainers.size())
                .mapToObj(rank -> rank + " on " + trainers.get(rank).node())
                .collect(Collectors.joining(", "));
    }

    private Behavior<Command> onJoinProbe(JoinProbe message) {
        probe = Optional.of(message.probe());
        waitingForProbe.forEach(message.probe()::tell);
        waitingForProbe.clear();
        return Behaviors.same();
    }

    private Behavior<Command> onCheckpointWritten(CheckpointWritten message) {
        lastCheckpoint = message.step();
        ProbeActor.Evaluate evaluate = new ProbeActor.Evaluate(
                message.step(), message.directory(), !stopping && plan.probeDue(message.step()), context.getSelf());
        evaluating++;
        probe.ifPresentOrElse(actor -> actor.tell(evaluate), () -> waitingForProbe.add(evaluate));
        return Behaviors.same();
    }

    private Behavior<Command> onEvaluated(Evaluated message) {
        evaluating--;
        if (!trainers.isEmpty()) {
            trainers.get(0).trainer().tell(new Trainer.Validated(message.step(), message.validationLoss()));
        }
        return endIfDone();
    }

    private Behavior<Command> onEvaluationFailed(EvaluationFailed message) {
        evaluating--;
        return fail("step " + message.step() + " could not be evaluated: " + message.cause());
    }

    private Behavior<Command> onFinished(Finished message) {
        finished.put(message.rank(), message);
        Finished first = finished.values().iterator().next();
        if (!stopping && !first.weightsSha256().equals(message.weightsSha256())) {
            return fail("ranks " + first.rank() + " and " + message.rank() + " ended with different weights ("
                    + first.weightsSha256() + " and " + message.weightsSha256()
                    + "): the replicas have diverged, do not use this run");
        }
        return endIfDone();
    }

    private Behavior<Command> onLeft(Left message) {
        left.add(message.rank());
        return endIfDone();
    }

    private Behavior<Command> onTrainerFailed(TrainerFailed message) {
        if (stopping) {
            return onLeft(new Left(message.rank()));
        }
        String who = message.rank() < 0 ? "node " : "rank " + message.rank() + " on ";
        return fail(who + message.node() + " failed: " + message.cause());
    }

    /** Its last words come by way of the singleton's proxy, and so may come after the news of its end. */
    private Behavior<Command> onTrainerGone(TrainerGone message) {
        context.scheduleOnce(LAST_WORDS, context.getSelf(), new StillGone(message.trainer()));
        return Behaviors.same();
    }

    /** A trainer that ended without a word: its JVM died or its node became unreachable. */
    private Behavior<Command> onStillGone(StillGone message) {
        for (int rank = 0; rank < trainers.size(); rank++) {
            if (trainers.get(rank).trainer().equals(message.trainer())
                    && !finished.containsKey(rank)
                    && !left.contains(rank)) {
                membership(trainers.get(rank).node(), "down", "rank " + rank);
                return onTrainerFailed(
                        new TrainerFailed(rank, trainers.get(rank).node(), "it is gone"));
            }
        }
        return Behaviors.same();
    }

    private Behavior<Command> onStop(Stop message) {
        stopping = true;
        trainers.forEach(trainer -> trainer.trainer().tell(new Trainer.Drain()));
        return Behaviors.same();
    }

    private Behavior<Command> onFollow(Follow message) {
        outcome.ifPresentOrElse(known -> message.replyTo().tell(known), () -> followers.add(message.replyTo()));
        return Behaviors.same();
    }

    private Behavior<Command> endIfDone() {
        if (finished.size() + left.size() < trainers.size() || (evaluating > 0 && !stopping)) {
            return Behaviors.same();
        }
        Finished rankZero = finished.get(0);
        if (rankZero == null) {
            return fail("rank 0 left before it could write a checkpoint");
        }
        boolean completed = rankZero.step() == plan.train().steps();
        return end(completed ? "completed" : "stopped", "", rankZero.weightsSha256());
    }

    private Behavior<Command> fail(String cause) {
        String advice = lastCheckpoint < 0
                ? ""
                : "; the last checkpoint is step " + lastCheckpoint + ", continue with: train --resume --run "
                        + plan.directory();
        trainers.forEach(trainer -> trainer.trainer().tell(new Trainer.Drain()));
        return end("failed", cause + advice, "");
    }

    private Behavior<Command> end(String how, String detail, String weightsSha256) {
        long step = finished.values().stream().mapToLong(Finished::step).max().orElse(Math.max(0, lastCheckpoint));
        Outcome result = new Outcome(how, step, detail, weightsSha256);
        outcome = Optional.of(result);
        telemetry.record(new Event.RunEnded(System.currentTimeMillis(), node, step, how, detail));
        followers.forEach(follower -> follower.tell(result));
        return ended();
    }

    private void membership(String member, String change, String detail) {
        telemetry.record(new Event.Membership(
                System.currentTimeMillis(), node, member, change, generation, trainers.size(), detail));
    }
}
