package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.coordinator.Coordinator.Outcome;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.checkpoint.WeightsHash;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.MonitorActor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.Test;

/** The coordinator's protocol with nodes and trainers, and how a run ends. */
class CoordinatorTest extends CoordinatorFixture {
    @Test
    void aNodeThatJoinsIsGivenThePlanOnce() {
        TestProbe<Coordinator.Admission> node = kit.createTestProbe();
        coordinator.tell(new Coordinator.JoinNode("trainer-1", "p", Coordinator.PROTOCOL, node.getRef()));
        assertEquals(
                plan(false), node.expectMessageClass(Coordinator.Welcome.class).plan());
        coordinator.tell(new Coordinator.JoinNode("trainer-1", "p", Coordinator.PROTOCOL, node.getRef()));
        node.expectNoMessage();
    }

    @Test
    void aSecondNodeOfTheSameNameAndOneOfAnotherVersionAreRefused() {
        TestProbe<Coordinator.Admission> node = kit.createTestProbe();
        coordinator.tell(new Coordinator.JoinNode("trainer-1", "p", Coordinator.PROTOCOL, node.getRef()));
        node.expectMessageClass(Coordinator.Welcome.class);
        coordinator.tell(new Coordinator.JoinNode("trainer-1", "q", Coordinator.PROTOCOL, node.getRef()));
        String twice = node.expectMessageClass(Coordinator.Refused.class).reason();
        assertTrue(twice.contains("trainer-1") && twice.contains("--name"), twice);
        coordinator.tell(new Coordinator.JoinNode("other", "r", Coordinator.PROTOCOL + 1, node.getRef()));
        String version = node.expectMessageClass(Coordinator.Refused.class).reason();
        assertTrue(version.contains("same version"), version);
    }

    @Test
    void aTrainerWithOtherImagesIsRefusedAndTheOthersGoOn() {
        Puppet zero = new Puppet("a", 0);
        Puppet stranger = new Puppet("b", 0) {
            @Override
            void announce() {
                announce("other images");
            }
        };
        String reason = stranger.probe.expectMessageClass(Trainer.Retire.class).reason();
        assertTrue(reason.contains("other images") && reason.contains("the images"), reason);
        Puppet one = new Puppet("c", 0);
        assertEquals(2, zero.formed().generation().worldSize());
        one.formed();
    }

    @Test
    void ranksFollowNodeNamesNotTheOrderOfArrival() {
        Puppet second = new Puppet("trainer-2", 0);
        second.probe.expectNoMessage();
        Puppet first = new Puppet("trainer-1", 0);
        Assignment place = first.formed();
        assertEquals(0, place.rank());
        assertEquals(0, place.firstStep());
        assertEquals(Origin.Kind.SEED, place.origin().kind());
        assertEquals(2, place.generation().worldSize());
        assertEquals(1, second.formed().rank());
    }

    @Test
    void generationsOfAResumedRunHaveHigherNumbers() {
        Puppet zero = new Puppet("a", 0);
        new Puppet("a", 1);
        long number = zero.formed().generation().number();
        coordinator = spawn(plan(false), false);
        Puppet again = new Puppet("b", 0);
        new Puppet("b", 1);
        assertTrue(again.formed().generation().number() > number);
    }

    @Test
    void whenARankIsGoneTheOthersGoOnFromTheSameStep() {
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("b", 0);
        long number = zero.formed().generation().number();
        one.formed();
        zero.step(5);
        one.step(5);
        one.probe.stop();
        zero.awaited(Trainer.Halt.class);
        zero.halt();
        Assignment next = zero.formed();
        assertTrue(next.generation().number() > number);
        assertEquals(5, next.firstStep());
        assertEquals(Origin.Kind.KEPT, next.origin().kind());
        assertEquals(1, next.generation().worldSize());
        follower.expectNoMessage();
    }

    @Test
    void aJoinerIsAdmittedAtAStepBoundaryWithThePeersWeights() {
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("b", 0);
        zero.formed();
        one.formed();
        Puppet joiner = new Puppet("c", 0);
        zero.awaited(Trainer.Pause.class);
        zero.step(7);
        one.step(7);
        zero.halt();
        one.halt();
        Assignment place = joiner.formed();
        assertEquals(7, place.firstStep());
        assertEquals(3, place.generation().worldSize());
        assertEquals(Origin.Kind.PEER, place.origin().kind());
        assertEquals(zero.member.digest(), place.digest());
    }

    @Test
    void aCoordinatorThatTakesOverDisturbsNobody() {
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("b", 0);
        zero.formed();
        one.formed();
        coordinator = spawn(plan(false), true);
        zero.announce();
        one.announce();
        Puppet joiner = new Puppet("c", 0);
        zero.awaited(Trainer.Pause.class);
        zero.halt();
        one.halt();
        assertEquals(3, joiner.formed().generation().worldSize());
    }

    @Test
    void checkpointsAreValidatedAndProbedWhenDue() {
        Puppet zero = new Puppet("a", 0);
        new Puppet("a", 1);
        zero.formed();
        coordinator.tell(new Coordinator.CheckpointWritten(0, "dir0", "h0"));
        coordinator.tell(new Coordinator.JoinProbe("a", prober.getRef()));
        ProbeActor.Evaluate untrained = prober.expectMessageClass(ProbeActor.Evaluate.class);
        assertEquals("dir0", untrained.checkpoint());
        assertEquals(List.of(ProbeKind.ATTENTIVE, ProbeKind.KNN), untrained.probes());
        coordinator.tell(new Coordinator.CheckpointWritten(10, "dir10", "h10"));
        assertEquals(
                List.of(), prober.expectMessageClass(ProbeActor.Evaluate.class).probes());
        coordinator.tell(new Coordinator.Evaluated(10, 0.5));
        assertEquals(new Trainer.Validated(10, 0.5), zero.awaited(Trainer.Validated.class));
    }

    private void trained(String zeroHash, String oneHash) {
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("a", 1);
        zero.formed();
        one.formed();
        zero.step(20);
        one.step(20);
        coordinator.tell(new Coordinator.JoinProbe("a", prober.getRef()));
        coordinator.tell(new Coordinator.CheckpointWritten(20, "dir20", zeroHash));
        one.finish(oneHash);
        zero.finish(zeroHash);
    }

    @Test
    void theRunIsCompletedWhenAllRanksAgreeAndTheLastProbeIsIn() {
        trained("hash", "hash");
        follower.expectNoMessage();
        coordinator.tell(new Coordinator.Evaluated(20, 0.3));
        assertEquals(new Outcome("completed", 20, "", "hash"), follower.receiveMessage());
        MonitorActor.Record last = null;
        while (last == null || !(last.event() instanceof Event.RunEnded)) {
            last = monitor.expectMessageClass(MonitorActor.Record.class);
        }
        assertEquals("completed", ((Event.RunEnded) last.event()).outcome());
    }

    @Test
    void differentFinalWeightsFailTheRun() {
        trained("one", "other");
        coordinator.tell(new Coordinator.Evaluated(20, 0.3));
        Outcome outcome = follower.receiveMessage();
        assertEquals("failed", outcome.outcome());
        assertTrue(outcome.detail().contains("diverged"), outcome.detail());
    }

    @Test
    void whatWouldHappenToEveryRankFailsTheRun() {
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("b", 0);
        zero.formed();
        one.formed();
        coordinator.tell(new Coordinator.JoinProbe("a", prober.getRef()));
        coordinator.tell(new Coordinator.CheckpointWritten(10, "dir10", "h10"));
        coordinator.tell(new Coordinator.TrainerFailed(one.address, "b", "the loss is NaN", true));
        Outcome outcome = follower.receiveMessage();
        assertEquals("failed", outcome.outcome());
        assertTrue(outcome.detail().contains("rank 1 on b"), outcome.detail());
        assertTrue(outcome.detail().contains("step 10"), outcome.detail());
        zero.awaited(Trainer.Retire.class);
    }

    @Test
    void whatHappensToOneMachineCostsTheRunOneTrainer() {
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("b", 0);
        zero.formed();
        one.formed();
        coordinator.tell(new Coordinator.TrainerFailed(one.address, "b", "its disk is full", false));
        zero.awaited(Trainer.Halt.class);
        zero.halt();
        assertEquals(1, zero.formed().generation().worldSize());
        follower.expectNoMessage();
    }

    @Test
    void aNodeThatCannotTakePartFailsTheRunBeforeItBegins() {
        coordinator.tell(new Coordinator.NodeFailed("trainer-1", "no such shard"));
        Outcome outcome = follower.receiveMessage();
        assertEquals("failed", outcome.outcome());
        assertTrue(outcome.detail().contains("no such shard"), outcome.detail());
    }

    @Test
    void stopPausesSavesAndTakesTheSavedStep() throws IOException {
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("a", 1);
        zero.formed();
        one.formed();
        coordinator.tell(new Coordinator.Stop());
        zero.awaited(Trainer.Pause.class);
        zero.step(7);
        one.step(7);
        zero.halt();
        one.halt();
        zero.awaited(Trainer.Save.class);
        Snapshot weights = new Snapshot(
                7,
                new TreeMap<>(Map.of("a", new Tensor(new long[] {1}, FloatBuffer.allocate(1)))),
                Collections.emptySortedMap(),
                Collections.emptySortedMap());
        String sha256 = WeightsHash.sha256(weights.weights());
        Checkpoint.write(directory, weights, new TrainingState(7, 0, 7 * 64, 0, 2, 1, 1, sha256));
        coordinator.tell(new Coordinator.Saved(7, "hash"));
        assertEquals(new Outcome("stopped", 7, "", "hash"), follower.receiveMessage());
    }
}
