package io.rasterflow.actors.trainer;

import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.run.Experiments;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.Replica;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** How a run begins, from its seed or a checkpoint, and what its first rank does for the others. */
final class RunStart {

    private RunStart() {}

    static void fromSeed(TrainerNode node, Member member, Replica replica) {
        member.discard();
        replica.initialise(node.plan().train().seed());
    }

    /** @throws IOException if it cannot be read */
    static void fromCheckpoint(TrainerNode node, Member member, Replica replica) throws IOException {
        Checkpoint.Contents checkpoint =
                Checkpoint.read(Path.of(member.place().origin().checkpoint()));
        node.plan().requireContinues(checkpoint.state());
        member.discard();
        replica.restore(checkpoint.snapshot());
    }

    /**
     * What rank 0 does for all at the start of any generation.
     *
     * @return whether a checkpoint of its first step belongs on disk: also one that a lost rank 0 did not finish, or that comes
     *     from another run
     */
    static boolean lead(TrainerNode node, Assignment place, Replica replica) throws IOException {
        node.input().needFrom(place.firstStep());
        Origin.Kind kind = place.origin().kind();
        boolean begins = kind == Origin.Kind.SEED || kind == Origin.Kind.CHECKPOINT;
        if (begins) {
            record(node, place, replica);
        }
        return begins || node.plan().checkpointDue(place.firstStep());
    }

    private static void record(TrainerNode node, Assignment place, Replica replica) {
        RunPlan plan = node.plan();
        boolean fromOtherRun = !place.origin().checkpoint().isEmpty()
                && place.origin().checkpoint().equals(plan.origin());
        node.telemetry()
                .record(new Event.RunStarted(
                        System.currentTimeMillis(),
                        node.name(),
                        plan.name(),
                        place.firstStep(),
                        plan.train().steps(),
                        plan.train().batch(),
                        replica.parameters(),
                        node.images().size(),
                        place.generation().worldSize(),
                        replica.precision().name().toLowerCase(Locale.ROOT),
                        fromOtherRun ? plan.origin() : "",
                        Experiments.of(plan),
                        plan.rankHourPrice(),
                        Experiments.learningRates(plan)));
    }
}
