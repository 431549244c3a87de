package io.rasterflow.actors.trainer;

import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.monitoring.monitor.Telemetry;
import io.rasterflow.streams.shard.Samples;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What the trainers of one JVM share.
 *
 * @param name of the node
 * @param plan the run
 * @param images training images
 * @param dataPlane gradients go through it
 * @param telemetry events go through it
 * @param input what the images go through
 * @param coordinator proxy of the singleton
 * @param io executor for blocking work such as writing checkpoints
 */
public record TrainerNode(
        String name,
        RunPlan plan,
        Samples images,
        DataPlane dataPlane,
        Telemetry telemetry,
        InputReport input,
        ActorRef<Coordinator.Command> coordinator,
        Executor io) {}
