package io.rasterflow.cli;

import com.typesafe.config.ConfigUtil;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.trainer.Replay;
import io.rasterflow.config.ConfigException;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.program.Engines;
import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A step of a run, computed again, and how to train on without the images that made it what it was.
 *
 * @param checkpoint that it was computed from
 * @param worst its images, the highest loss first
 */
record StepReplay(RunPlan plan, Path checkpoint, Replay.Result result, List<Replay.Image> worst) {

    /**
     * Computes it, with a bar on the terminal.
     *
     * @throws ConfigException with one line, if the run has no such step or nothing to compute it from
     */
    static StepReplay of(Path run, long step) throws IOException, InterruptedException {
        Engines.configure(1);
        RunPlan plan = Checkpoints.config(run, List.of()).plan(run, false);
        if (step < 0 || step >= plan.train().steps()) {
            throw new ConfigException("--step " + step + ": the run has the steps 0 to "
                    + (plan.train().steps() - 1));
        }
        if (plan.data().feed().used()) {
            throw new ConfigException(run + " was trained on a live feed, whose images are not kept: it has no replay");
        }
        Path checkpoint = Checkpoint.latest(run, step)
                .orElseThrow(() -> new ConfigException(
                        run + " holds no checkpoint of step " + step + " or before to compute it from"));
        ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "replay");
        try (DataSet data = plan.data().openTrain()) {
            Progress progress = new Progress(System.out, "replay");
            Replay.Result result = Replay.of(system, plan, data, checkpoint, step, progress::at);
            progress.clear();
            List<Replay.Image> worst = result.images().stream()
                    .sorted(Comparator.comparingDouble(Replay.Image::loss).reversed())
                    .toList();
            return new StepReplay(plan, checkpoint, result, worst);
        } finally {
            system.terminate();
        }
    }

    /** The first of the worst images, but for positions where another image took the place of the one that is named. */
    List<Replay.Image> named(int top) {
        return worst.stream()
                .limit(top)
                .filter(image -> image.quarantined().isEmpty())
                .toList();
    }

    /** The setting that keeps them out of another run, beside those that were kept out of this one. */
    String quarantine(int top) {
        return Stream.concat(
                        plan.data().stream().quarantine().stream(),
                        named(top).stream().map(image -> BadSample.name(image.shard(), image.key())))
                .distinct()
                .map(ConfigUtil::quoteString)
                .collect(Collectors.joining(",", "data.stream.quarantine=[", "]"));
    }
}
