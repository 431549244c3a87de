package io.rasterflow.actors.trainer;

import io.rasterflow.actors.Failures;
import io.rasterflow.actors.WireMessage;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.model.Compute;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.checkpoint.WeightsHash;
import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.streams.batch.Batch;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One rank. It joins, is given a generation and then goes through its steps by itself, tied to the other ranks only by
 * the all-reduce; the coordinator hears of checkpoints, of the end and of failures. Runs on a pinned thread because grad
 * mode and intra-op threads are thread-local in PyTorch.
 */
public final class Trainer {

    public sealed interface Command {}

    /**
     * Start training as a rank of a generation.
     *
     * @param checkpoint directory to restore, empty to initialise from the seed
     */
    public record Begin(Generation generation, int rank, long firstStep, String checkpoint)
            implements Command, WireMessage {}

    /** The validation loss of a checkpoint is known; the next checkpoint carries it. */
    public record Validated(long step, double loss) implements Command, WireMessage {}

    /** Stop at the next step boundary: rank 0 writes a checkpoint, the others leave. */
    public record Drain() implements Command, WireMessage {}

    private record Connected(Exchange exchange) implements Command {}

    private record BatchArrived(Batch batch) implements Command {}

    private record Summed(Exchange.Reduced reduced) implements Command {}

    private record Written(long step) implements Command {}

    private record Ended(long step, String weightsSha256) implements Command {}

    private record Failed(Throwable cause) implements Command {}

    private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

    private final ActorContext<Command> context;
    private final TrainerNode node;
    private final DataAddress address;
    private Begin begin;
    private Replica replica;
    private TrainingSession session;
    private double validationLoss = Double.NaN;
    private CompletionStage<Void> lastWrite = CompletableFuture.completedFuture(null);
    private boolean draining;

    /** Spawn it on {@link #dispatcher()}. */
    public static Behavior<Command> create(TrainerNode node, int replicaIndex) {
        return Behaviors.setup(context -> new Trainer(context, node, replicaIndex).joining());
    }

    /** The pinned thread that every trainer needs. */
    public static DispatcherSelector dispatcher() {
        return DispatcherSelector.fromConfig("rasterflow.trainer-dispatcher");
    }

    private Trainer(ActorContext<Command> context, TrainerNode node, int replicaIndex) {
        this.context = context;
        this.node = node;
        this.address = node.dataPlane().address(replicaIndex);
    }

    private Behavior<Command> joining() {
        node.coordinator().tell(new Coordinator.JoinTrainer(node.name(), address, context.getSelf()));
        return Behaviors.receive(Command.class)
                .onMessage(Begin.class, this::onBegin)
                .onMessage(Drain.class, drain -> Behaviors.stopped())
                .onMessage(Validated.class, this::onValidated)
                .build();
    }

    private Behavior<Command> connecting() {
        return Behaviors.receive(Command.class)
                .onMessage(Connected.class, this::onConnected)
                .onMessage(Drain.class, drain -> Behaviors.stopped())
                .onMessage(Validated.class, this::onValidated)
                .onMessage(Failed.class, this::onFailed)
                .onSignal(PostStop.class, stop -> onStop())
                .build();
    }

    private Behavior<Command> training() {
        return Behaviors.receive(Command.class)
                .onMessage(BatchArrived.class, this::onBatch)
                .onMessage(Summed.class, this::onSummed)
                .onMessage(Written.class, this::onWritten)
                .onMessage(Validated.class, this::onValidated)
                .onMessage(Drain.class, this::onDrain)
                .onMessage(Ended.class, this::onEnded)
                .onMessage(Failed.class, this::onFailed)
                .onSignal(PostStop.class, stop -> onStop())
                .build();
    }

    private Behavior<Command> onBegin(Begin message) {
        begin = message;
        return guarded(() -> {
            replica = Aim.replica(node.plan().model(), node.plan().optimizer(), compute());
            if (message.checkpoint().isEmpty()) {
                replica.initialise(node.plan().train().seed());
            } else {
                restore(Checkpoint.read(Path.of(message.checkpoint())));
            }
            pipe(node.dataPlane().join(message.generation(), message.rank(), replica.bucketFloats()), Connected::new);
            return connecting();
        });
    }

    private Compute compute() {
        Compute compute = node.plan().train().compute();
        return compute.device().equals("cpu") ? compute : compute.forReplica(address.replica(), Engines.gpus());
    }

    private void restore(Checkpoint.Contents checkpoint) {
        node.plan().requireContinues(checkpoint.state());
        replica.restore(checkpoint.snapshot());
    }

    private Behavior<Command> onConnected(Connected message) {
        return guarded(() -> {
            session = new TrainingSession(
                    context.getSystem(),
                    node,
                    begin.generation(),
                    begin.rank(),
                    begin.firstStep(),
                    replica,
                    message.exchange());
            LOG.info(
                    "rank {} of {} begins at step {}",
                    begin.rank(),
                    begin.generation().worldSize(),
                    begin.firstStep());
            if (begin.rank() == 0) {
                needFrom(begin.firstStep());
                recordStart();
                if (begin.firstStep() == 0 || !node.plan().resume()) {
                    writeCheckpoint();
                }
            }
            return session.step() == node.plan().train().steps() ? end() : fetch();
        });
    }

    /** What came before that step may go. */
    private void needFrom(long step) {
        try {
            node.input().needFrom(step);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private void recordStart() {
        node.telemetry()
                .record(new Event.RunStarted(
                        System.currentTimeMillis(),
                        node.name(),
                        node.plan().name(),
                        begin.firstStep(),
                        node.plan().train().steps(),
                        node.plan().train().batch(),
                        replica.parameters(),
                        node.images().size(),
                        begin.generation().worldSize(),
                        replica.precision().name().toLowerCase(Locale.ROOT),
                        node.plan().resume() ? "" : node.plan().origin()));
    }

    private Behavior<Command> fetch() {
        pipe(session.nextBatch(), batch -> batch.<Command>map(BatchArrived::new)
                .orElseGet(() -> new Failed(new IllegalStateException("the stream ended before the last step"))));
        return training();
    }

    private Behavior<Command> onBatch(BatchArrived message) {
        return guarded(() -> {
            if (!session.compute(message.batch())) {
                return fetch();
            }
            pipe(session.allReduce(), Summed::new);
            return training();
        });
    }

    private Behavior<Command> onSummed(Summed message) {
        return guarded(() -> {
            session.update(message.reduced());
            boolean last = session.step() == node.plan().train().steps();
            if (begin.rank() == 0 && (draining || node.plan().checkpointDue(session.step()))) {
                writeCheckpoint();
            }
            if (last || draining) {
                return end();
            }
            session.markWaiting();
            return fetch();
        });
    }

    /** Copies the weights on this thread, writes them on another; writes keep their order. */
    private void writeCheckpoint() {
        Snapshot snapshot = session.replica().snapshot();
        double loss = session.loss();
        double validation = validationLoss;
        lastWrite = lastWrite.thenRunAsync(() -> write(snapshot, loss, validation), node.io());
        context.pipeToSelf(
                lastWrite, (done, failure) -> failure == null ? new Written(snapshot.step()) : new Failed(failure));
    }

    /** On an I/O thread. */
    private void write(Snapshot snapshot, double loss, double validation) {
        long start = System.nanoTime();
        String hash = WeightsHash.sha256(snapshot.weights());
        long position = snapshot.step() * node.plan().train().batch();
        TrainingState state = new TrainingState(
                snapshot.step(),
                position / node.images().size(),
                position,
                node.plan().train().seed(),
                begin.generation().worldSize(),
                loss,
                validation,
                hash,
                snapshot.averaged() ? WeightsHash.sha256(snapshot.average()) : "");
        try {
            Path directory = Checkpoint.write(Path.of(node.plan().directory()), snapshot, state);
            node.telemetry()
                    .record(new Event.Checkpoint(
                            System.currentTimeMillis(),
                            node.name(),
                            snapshot.step(),
                            directory.getFileName().toString(),
                            hash,
                            Checkpoint.bytes(directory),
                            (System.nanoTime() - start) * 1e-9));
            node.input().needFrom(snapshot.step());
            node.coordinator().tell(new Coordinator.CheckpointWritten(snapshot.step(), directory.toString(), hash));
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private Behavior<Command> onWritten(Written message) {
        LOG.debug("checkpoint of step {} is written", message.step());
        return Behaviors.same();
    }

    private Behavior<Command> onValidated(Validated message) {
        validationLoss = message.loss();
        return Behaviors.same();
    }

    private Behavior<Command> onDrain(Drain message) {
        draining = true;
        return Behaviors.same();
    }

    /** Hashes the final weights once everything has been written. */
    private Behavior<Command> end() {
        Snapshot snapshot = session.replica().snapshot();
        pipe(
                lastWrite.thenApplyAsync(written -> WeightsHash.sha256(snapshot.weights()), node.io()),
                hash -> new Ended(snapshot.step(), hash));
        return training();
    }

    private Behavior<Command> onEnded(Ended message) {
        node.coordinator().tell(new Coordinator.Finished(begin.rank(), message.step(), message.weightsSha256()));
        return Behaviors.stopped(() -> onStop());
    }

    private Behavior<Command> onFailed(Failed message) {
        return fail(message.cause());
    }

    private Behavior<Command> fail(Throwable cause) {
        if (draining) {
            LOG.info("rank {} leaves: {}", begin.rank(), Failures.oneLine(cause));
            node.coordinator().tell(new Coordinator.Left(begin.rank()));
        } else {
            LOG.debug("rank {} failed", begin.rank(), cause);
            node.coordinator().tell(new Coordinator.TrainerFailed(begin.rank(), node.name(), Failures.oneLine(cause)));
        }
        return Behaviors.stopped(() -> onStop());
    }

    private Behavior<Command> onStop() {
        if (session != null) {
            session.close();
            session = null;
        } else if (replica != null) {
            replica.close();
        }
        replica = null;
        return Behaviors.same();
    }

    private Behavior<Command> guarded(Callable<Behavior<Command>> work) {
        try {
            return work.call();
        } catch (Exception | OutOfMemoryError e) {
            return fail(e);
        }
    }

    private <T> void pipe(CompletionStage<T> stage, Function<T, Command> message) {
        context.pipeToSelf(stage, (value, failure) -> failure == null ? message.apply(value) : new Failed(failure));
    }
}
