package io.rasterflow.actors.trainer;

import io.rasterflow.actors.Failures;
import io.rasterflow.actors.WireMessage;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeException;
import io.rasterflow.actors.exchange.Liveness;
import io.rasterflow.actors.exchange.PeerState;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Placement;
import io.rasterflow.actors.membership.Roster;
import io.rasterflow.model.Replica;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.optimizer.NoiseScale;
import io.rasterflow.streams.batch.Batch;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One replica. It is given places in generations, one after the other: it takes the weights that the generation begins
 * with, connects to the other ranks and goes through the steps by itself, tied to them only by the all-reduce. When the
 * generation breaks it keeps its weights, says where it stands and waits for the next. Runs on a pinned thread because grad
 * mode and intra-op threads are thread-local in PyTorch.
 */
public final class Trainer {

    public sealed interface Command {}

    /** Take this place in a new generation. */
    public record Form(Placement place) implements Command, WireMessage {}

    /** Connect to all that are expected in a generation to come, as that rank of it. */
    public record Expect(Roster roster, int rank) implements Command, WireMessage {}

    /** That generation is over, and all before it. */
    public record Halt(long generation) implements Command, WireMessage {}

    /** Make all ranks of that generation stop after the step that is under way. */
    public record Pause(long generation) implements Command, WireMessage {}

    /** Find out whether that trainer's process is there. */
    public record Confirm(DataAddress suspect) implements Command, WireMessage {}

    /** Say who is in your generation. */
    public record Describe() implements Command, WireMessage {}

    /** Write a checkpoint of the weights as they are, which are those of the last step boundary. */
    public record Save() implements Command, WireMessage {}

    /** You are not needed any more. */
    public record Retire(String reason) implements Command, WireMessage {}

    /** The validation loss of a checkpoint is known; the next checkpoint carries it. */
    public record Validated(long step, double loss) implements Command, WireMessage {}

    /** This node is to go: leave at the next step boundary. */
    public record Leave() implements Command {}

    private record StateAsked(CompletableFuture<PeerState> answer) implements Command {}

    private record StateArrived(long generation, PeerState state) implements Command {}

    private record Connected(long generation, Exchange exchange) implements Command {}

    private record ConnectedAhead(long generation) implements Command {}

    private record BatchArrived(long generation, Batch batch) implements Command {}

    private record Summed(long generation, Exchange.Reduced reduced) implements Command {}

    private record Hashed(long generation, String weightsSha256) implements Command {}

    /** Something that the generation needed has failed. */
    private record Interrupted(long generation, Throwable cause) implements Command {}

    private record NotWritten(Throwable cause) implements Command {}

    private record Told() implements Command {}

    /** The bit of {@link Exchange#signal} that asks all ranks to stop after the step. */
    private static final int PAUSE = 1;

    private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);
    private static final Duration SAVE_LATER = Duration.ofMillis(200);

    private final ActorContext<Command> context;
    private final TrainerNode node;
    private final DataAddress address;
    private final Member member;
    private final Replica replica;
    private final Connections connections;
    private final StateOffer offer;
    private final CheckpointWriter checkpoints;
    private final ActorRef<Herald.Command> herald;
    private final Optional<NoiseScale> noiseScale;
    private Optional<TrainingSession> session = Optional.empty();
    private double loss = Double.NaN;
    private double validationLoss = Double.NaN;

    /** Spawn it on {@link #dispatcher()}. */
    public static Behavior<Command> create(TrainerNode node, int replicaIndex) {
        return Behaviors.setup(context -> {
            try {
                return new Trainer(context, node, replicaIndex).training();
            } catch (IOException | InterruptedException | RuntimeException | OutOfMemoryError e) {
                if (e instanceof InterruptedException) {
                    Thread.currentThread().interrupt();
                }
                LOG.debug("replica {} cannot be made", replicaIndex, e);
                node.ended().tell(new TrainerNode.Ended(Failures.oneLine(e)));
                boolean fatal = e instanceof OutOfMemoryError || !Failures.ofThisMachine(e);
                node.coordinator()
                        .tell(new Coordinator.TrainerFailed(
                                node.dataPlane().address(replicaIndex), node.name(), Failures.oneLine(e), fatal));
                return Behaviors.stopped();
            }
        });
    }

    /** The pinned thread that every trainer needs. */
    public static DispatcherSelector dispatcher() {
        return DispatcherSelector.fromConfig("rasterflow.trainer-dispatcher");
    }

    /** Whatever takes time is done before the trainer announces itself: nobody shall wait for it at a step boundary. */
    private Trainer(ActorContext<Command> context, TrainerNode node, int replicaIndex)
            throws IOException, InterruptedException {
        this.context = context;
        this.node = node;
        this.address = node.dataPlane().address(replicaIndex);
        this.member = new Member(address, node.name());
        this.checkpoints = new CheckpointWriter(node);
        this.noiseScale = TrainingSession.noiseScale(node.plan());
        this.replica = new Rehearsal(node, context.getSystem()).replica(address);
        if (Thread.interrupted()) { // What had not to wait has not noticed.
            replica.close();
            throw new InterruptedException("interrupted while the trainer was made");
        }
        ActorRef<Command> self = context.getSelf();
        this.connections = new Connections(node, replica.bucketFloats());
        this.offer = new StateOffer(replica, member, answer -> self.tell(new StateAsked(answer)));
        node.dataPlane().offer(replicaIndex, offer);
        this.herald = context.spawn(
                Herald.create(node, self, member.standing()), "herald", DispatcherSelector.defaultDispatcher());
    }

    private Behavior<Command> training() {
        return Behaviors.receive(Command.class)
                .onMessage(Form.class, this::onForm)
                .onMessage(Expect.class, this::onExpect)
                .onMessage(ConnectedAhead.class, this::onConnectedAhead)
                .onMessage(StateArrived.class, this::onStateArrived)
                .onMessage(Connected.class, this::onConnected)
                .onMessage(BatchArrived.class, this::onBatch)
                .onMessage(Summed.class, this::onSummed)
                .onMessage(Hashed.class, this::onHashed)
                .onMessage(Halt.class, this::onHalt)
                .onMessage(Pause.class, this::onPause)
                .onMessage(Interrupted.class, this::onInterrupted)
                .onMessage(Confirm.class, message -> confirm(message.suspect()))
                .onMessage(Describe.class, message -> onDescribe())
                .onMessage(StateAsked.class, this::onStateAsked)
                .onMessage(Save.class, this::onSave)
                .onMessage(Validated.class, this::onValidated)
                .onMessage(Leave.class, this::onLeave)
                .onMessage(Retire.class, this::onRetire)
                .onMessage(NotWritten.class, message -> fail(message.cause(), true))
                .onMessage(Told.class, message -> Behaviors.same())
                .onSignal(PostStop.class, stop -> onStop())
                .build();
    }

    // ---- Into a generation

    private Behavior<Command> onForm(Form message) {
        if (!member.prepare(message.place())) {
            return Behaviors.same();
        }
        Assignment place = member.place();
        leaveSession();
        announce();
        if (member.outdated()) {
            // The coordinator did not know where this replica stands by now, which may be the furthest of all.
            return halt();
        }
        return guarded(() -> {
            TrainingSession next = new TrainingSession(context.getSystem(), node, place, replica, noiseScale);
            session = Optional.of(next);
            pipe(next.connect(connections), Connected::new);
            if (member.needsWeights()) {
                takeWeights(place);
            } else if (place.takers() > 0) {
                offer.prepare();
            }
            return Behaviors.same();
        });
    }

    /** The ranks of this generation go on while they connect to those of the next. */
    private Behavior<Command> onExpect(Expect message) {
        ActorRef<Command> self = context.getSelf();
        member.generationOf(message.roster())
                .ifPresent(generation -> connections.expect(
                        generation, message.rank(), () -> self.tell(new ConnectedAhead(generation.number()))));
        return Behaviors.same();
    }

    private Behavior<Command> onConnectedAhead(ConnectedAhead message) {
        if (connections.expects(message.generation())) {
            LOG.info("is connected to the ranks of generation {} before it begins", message.generation());
            member.connectedAhead(message.generation());
            announce();
        }
        return Behaviors.same();
    }

    private void takeWeights(Assignment place) throws IOException {
        switch (place.origin().kind()) {
            case KEPT -> throw new IllegalStateException(member + " keeps weights that it does not have");
            case SEED -> RunStart.fromSeed(node, member, replica);
            case CHECKPOINT -> RunStart.fromCheckpoint(node, member, replica);
            case PEER -> {
                DataAddress peer = place.origin().peer().orElseThrow();
                LOG.info("takes the weights of step {} from {}:{}", place.firstStep(), peer.host(), peer.port());
                pipe(node.dataPlane().fetch(peer, ReplicaState.blockBytes(replica, averaged())), StateArrived::new);
                return;
            }
        }
        member.restored();
    }

    private boolean averaged() {
        return node.plan().optimizer().averages();
    }

    private Behavior<Command> onStateArrived(StateArrived message) {
        if (!member.isIn(message.generation())) {
            return Behaviors.same();
        }
        return guarded(() -> {
            Assignment place = member.place();
            Snapshot snapshot =
                    ReplicaState.decode(message.state(), replica, averaged(), place.firstStep(), place.digest());
            member.discard();
            replica.restore(snapshot);
            member.restored();
            return beginWhenReady();
        });
    }

    private Behavior<Command> onConnected(Connected message) {
        if (!member.isIn(message.generation())) {
            return Behaviors.same();
        }
        session.orElseThrow().joined(message.exchange());
        return guarded(this::beginWhenReady);
    }

    /** With weights and connections. */
    private Behavior<Command> beginWhenReady() throws IOException {
        TrainingSession current = session.orElseThrow();
        if (member.needsWeights() || !current.isJoined()) {
            return Behaviors.same();
        }
        Assignment place = member.place();
        current.begin(place.digest());
        member.begin();
        announce();
        LOG.info(
                "generation {}: rank {} of {} begins at step {}",
                place.generation().number(),
                place.rank(),
                place.generation().worldSize(),
                place.firstStep());
        if (place.rank() == 0 && RunStart.lead(node, place, replica) && !checkpoints.isBegun(place.firstStep())) {
            writeCheckpoint();
        }
        return member.step() == node.plan().train().steps() ? finish() : fetch();
    }

    // ---- Through its steps

    private Behavior<Command> fetch() {
        pipe(session.orElseThrow().nextBatch(), (generation, batch) -> batch.<Command>map(
                        some -> new BatchArrived(generation, some))
                .orElseGet(() -> new Interrupted(
                        generation, new IllegalStateException("the stream ended before the last step"))));
        return Behaviors.same();
    }

    private Behavior<Command> onBatch(BatchArrived message) {
        if (!member.isIn(message.generation())) {
            message.batch().close();
            return Behaviors.same();
        }
        return guarded(() -> {
            TrainingSession current = session.orElseThrow();
            boolean complete = current.compute(message.batch());
            member.computed(current.microBatchSeconds());
            if (!complete) {
                return fetch();
            }
            pipe(current.allReduce(), Summed::new);
            return Behaviors.same();
        });
    }

    private Behavior<Command> onSummed(Summed message) {
        if (!member.isIn(message.generation())) {
            return Behaviors.same();
        }
        return guarded(() -> {
            TrainingSession current = session.orElseThrow();
            offer.withdraw();
            current.update(message.reduced(), member);
            loss = current.loss();
            boolean last = member.step() == node.plan().train().steps();
            if (member.place().rank() == 0 && node.plan().checkpointDue(member.step())) {
                writeCheckpoint();
            }
            if (last) {
                return finish();
            }
            if ((message.reduced().signals() & PAUSE) != 0) {
                // The exchange stays: a peer may still be sent the end of this rank's slice.
                member.halt();
                announce();
                return Behaviors.same();
            }
            current.markWaiting();
            return fetch();
        });
    }

    /** Copies the weights on this thread, writes them on another. */
    private CompletionStage<String> writeCheckpoint() {
        CompletionStage<String> written = checkpoints.write(
                replica.snapshot(),
                new CheckpointWriter.Context(
                        member.place().generation().worldSize(), loss, validationLoss, member.digest()));
        context.pipeToSelf(written, (hash, failure) -> failure == null ? new Told() : new NotWritten(failure));
        return written;
    }

    /** Hashes the final weights; the exchange stays until all have theirs. */
    private Behavior<Command> finish() {
        pipe(checkpoints.hashAfterwards(replica.snapshot()), Hashed::new);
        return Behaviors.same();
    }

    private Behavior<Command> onHashed(Hashed message) {
        if (member.isIn(message.generation())) {
            member.finish(message.weightsSha256());
            announce();
        }
        return Behaviors.same();
    }

    // ---- Out of a generation

    private Behavior<Command> onHalt(Halt message) {
        connections.over(message.generation());
        if (member.end(message.generation())) {
            leaveSession();
        }
        announce();
        return Behaviors.same();
    }

    private Behavior<Command> onPause(Pause message) {
        if (member.isIn(message.generation())) {
            session.ifPresent(current -> current.signal(PAUSE));
        }
        return Behaviors.same();
    }

    /** Keeps the weights and waits for the next generation. */
    private Behavior<Command> halt() {
        member.halt();
        leaveSession();
        connections.over(member.generationNumber());
        announce();
        return Behaviors.same();
    }

    private Behavior<Command> onInterrupted(Interrupted message) {
        if (!member.isIn(message.generation())) {
            return Behaviors.same();
        }
        return message.cause() instanceof ExchangeException
                ? broken(message.cause())
                : fail(message.cause(), !Failures.ofThisMachine(message.cause()));
    }

    private Behavior<Command> broken(Throwable cause) {
        LOG.warn("generation {} is over: {}", member.generationNumber(), Failures.oneLine(cause));
        halt();
        if (cause instanceof ExchangeException lost) {
            lost.peer().ifPresent(this::confirm);
        }
        return Behaviors.same();
    }

    private Behavior<Command> confirm(DataAddress suspect) {
        context.pipeToSelf(node.dataPlane().confirm(suspect), (liveness, failure) -> {
            node.coordinator().tell(new Coordinator.Found(suspect, failure == null ? liveness : Liveness.SILENT));
            return new Told();
        });
        return Behaviors.same();
    }

    private void leaveSession() {
        offer.withdraw();
        session.ifPresent(TrainingSession::close);
        session = Optional.empty();
    }

    /** Before the coordinator acts on where this rank stands, as it pauses or ends the run, its last step is told. */
    private void announce() {
        node.telemetry().flush();
        herald.tell(new Herald.Tell(member.standing()));
    }

    // ---- For others

    private Behavior<Command> onDescribe() {
        member.roster().ifPresent(roster -> node.coordinator().tell(new Coordinator.Described(roster)));
        return Behaviors.same();
    }

    private Behavior<Command> onStateAsked(StateAsked message) {
        offer.answer(message.answer());
        return Behaviors.same();
    }

    private Behavior<Command> onSave(Save message) {
        long step = member.step();
        if (step < 0) {
            context.scheduleOnce(SAVE_LATER, context.getSelf(), message); // Its weights are on their way.
            return Behaviors.same();
        }
        return guarded(() -> {
            CompletionStage<String> saved =
                    checkpoints.isBegun(step) ? checkpoints.hashAfterwards(replica.snapshot()) : writeCheckpoint();
            context.pipeToSelf(saved, (hash, failure) -> {
                if (failure == null) {
                    node.coordinator().tell(new Coordinator.Saved(step, hash));
                }
                return new Told();
            });
            session.ifPresent(TrainingSession::markWaiting);
            return Behaviors.same();
        });
    }

    private Behavior<Command> onValidated(Validated message) {
        validationLoss = message.loss();
        return Behaviors.same();
    }

    private Behavior<Command> onLeave(Leave message) {
        member.leave();
        announce();
        return Behaviors.same();
    }

    private Behavior<Command> onRetire(Retire message) {
        node.ended().tell(new TrainerNode.Ended(message.reason()));
        return Behaviors.stopped();
    }

    private Behavior<Command> fail(Throwable cause, boolean fatal) {
        LOG.debug("{} failed", member, cause);
        node.ended().tell(new TrainerNode.Ended(Failures.oneLine(cause)));
        node.coordinator().tell(new Coordinator.TrainerFailed(address, node.name(), Failures.oneLine(cause), fatal));
        return Behaviors.stopped();
    }

    private Behavior<Command> onStop() {
        leaveSession();
        connections.close();
        replica.close();
        return Behaviors.same();
    }

    private Behavior<Command> guarded(Callable<Behavior<Command>> work) {
        try {
            return work.call();
        } catch (ExchangeException e) {
            return broken(e);
        } catch (Exception | OutOfMemoryError e) {
            return fail(e, !Failures.ofThisMachine(e));
        }
    }

    private interface InGeneration<T> {
        Command of(long generation, T value);
    }

    /** Brings a result back to this actor, marked with the generation that it was wanted for. */
    private <T> void pipe(CompletionStage<T> stage, InGeneration<T> message) {
        long generation = member.generationNumber();
        ActorRef<Command> self = context.getSelf();
        // Not pipeToSelf: that hands every result to the JDK's pool first, which on two cores starts a thread for it.
        stage.whenComplete((value, failure) -> {
            if (failure == null) {
                self.tell(message.of(generation, value));
                return;
            }
            boolean wrapped = failure instanceof CompletionException && failure.getCause() != null;
            self.tell(new Interrupted(generation, wrapped ? failure.getCause() : failure));
        });
    }
}
