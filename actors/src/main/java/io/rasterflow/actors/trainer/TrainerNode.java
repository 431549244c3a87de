package io.rasterflow.actors.trainer;

import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.shard.Samples;
import java.util.concurrent.Executor;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What the trainers of one JVM share.
 *
 * @param name of the node
 * @param identity of what it would train on and how, which all nodes of a run must have in common
 * @param plan the run
 * @param nextStep step that the run is about to take while this node joins, as far as the coordinator knows
 * @param images training images
 * @param dataPlane gradients go through it
 * @param telemetry events go through it
 * @param input what the images go through
 * @param pictures those of quarantined samples
 * @param coordinator proxy of the singleton
 * @param ended is told when a trainer has ended
 * @param io executor for blocking work such as writing checkpoints
 */
public record TrainerNode(
        String name,
        String identity,
        RunPlan plan,
        long nextStep,
        Samples images,
        DataPlane dataPlane,
        Telemetry telemetry,
        InputReport input,
        QuarantinePictures pictures,
        ActorRef<Coordinator.Command> coordinator,
        ActorRef<Ended> ended,
        Executor io) {

    /**
     * A trainer has ended.
     *
     * @param reason one line
     */
    public record Ended(String reason) {}

    /** Two nodes that see other images under the same names would not train on the same run. */
    public static String identity(RunPlan run, Samples images) {
        return run.data().feed().used()
                ? "a live feed"
                : images.sources().stream()
                        .map(source -> source.samples() + " images in " + source.name())
                        .collect(Collectors.joining(", "));
    }
}
