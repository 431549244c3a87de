package io.rasterflow.actors.coordinator;

import io.rasterflow.actors.membership.RestorePoint;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.TrainingState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Where a generation begins when no trainer has weights: the newest checkpoint, the run's origin, or the seed. */
final class RestorePoints {

    private RestorePoints() {}

    /** @throws IOException one line, if the checkpoints cannot be read */
    static RestorePoint newest(RunPlan plan) throws IOException {
        Optional<Path> checkpoint = Checkpoint.latest(Path.of(plan.directory())).or(() -> Optional.of(plan.origin())
                .filter(origin -> !origin.isEmpty())
                .map(Path::of));
        if (checkpoint.isEmpty()) {
            return new RestorePoint("", 0, "seed " + plan.train().seed());
        }
        TrainingState state = Checkpoint.state(checkpoint.get());
        String history = state.history().isEmpty() ? "weights " + state.weightsSha256() : state.history();
        return new RestorePoint(checkpoint.get().toString(), state.step(), history);
    }
}
