package io.rasterflow.actors.trainer;

import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.checkpoint.WeightsHash;
import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Writes a rank's checkpoints off the training thread, one after the other, and tells the coordinator of each. */
final class CheckpointWriter {

    private final TrainerNode node;
    private CompletionStage<String> last = CompletableFuture.completedFuture("");
    private long lastStep = -1;

    CheckpointWriter(TrainerNode node) {
        this.node = node;
    }

    /** What {@code state.json} says besides the step. */
    record Context(int worldSize, double loss, double validationLoss, String history) {}

    /** Whether the checkpoint of a step is complete, or the last that this rank has begun to write. */
    boolean isBegun(long step) {
        return step == lastStep
                || Files.isDirectory(Checkpoint.directory(Path.of(node.plan().directory()), step));
    }

    /**
     * @param snapshot copied out of the replica
     * @return completes with the hash of the weights; fails with {@link UncheckedIOException}
     */
    CompletionStage<String> write(Snapshot snapshot, Context context) {
        lastStep = snapshot.step();
        last = last.thenApplyAsync(before -> writeNow(snapshot, context), node.io());
        return last;
    }

    /** Hashes weights once all that came before is written. */
    CompletionStage<String> hashAfterwards(Snapshot snapshot) {
        return last.thenApplyAsync(before -> WeightsHash.sha256(snapshot.weights()), node.io());
    }

    private String writeNow(Snapshot snapshot, Context context) {
        long start = System.nanoTime();
        RunPlan plan = node.plan();
        String hash = WeightsHash.sha256(snapshot.weights());
        long position = snapshot.step() * plan.train().batch();
        TrainingState state = new TrainingState(
                snapshot.step(),
                position / node.images().size(),
                position,
                plan.train().seed(),
                context.worldSize(),
                context.loss(),
                context.validationLoss(),
                hash,
                snapshot.averaged() ? WeightsHash.sha256(snapshot.average()) : "",
                context.history());
        try {
            Path directory = Checkpoint.write(Path.of(plan.directory()), snapshot, state);
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
            return hash;
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }
}
