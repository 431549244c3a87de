package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.coordinator.ClusterView;
import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.coordinator.Coordinator.Outcome;
import io.rasterflow.actors.coordinator.NodeOrder;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.checkpoint.WeightsHash;
import io.rasterflow.monitoring.action.ActionAnswer;
import io.rasterflow.monitoring.action.ActionKind;
import io.rasterflow.monitoring.action.ActionRequest;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The coordinator's protocol, with probes in the places of trainers, probe actor and followers. */
class CoordinatorTest {

    @TempDir
    Path directory;

    private final ActorTestKit kit = ActorTestKit.create();
    private final TestProbe<MonitorActor.Command> monitor = kit.createTestProbe();
    private final TestProbe<ProbeActor.Command> prober = kit.createTestProbe();
    private final TestProbe<Outcome> follower = kit.createTestProbe();
    private Journal journal;
    private ActorRef<Coordinator.Command> coordinator;

    @BeforeEach
    void start() throws IOException {
        journal = Journal.open(directory, "main");
        coordinator = spawn(plan(false), false);
        coordinator.tell(new Coordinator.Follow(follower.getRef()));
    }

    private ActorRef<Coordinator.Command> spawn(RunPlan plan, boolean takesOver) {
        return kit.spawn(
                Coordinator.create("main", plan, new Telemetry(journal, monitor.getRef()), new Alone(), takesOver));
    }

    /** One node, which nothing can part. */
    private static final class Alone implements ClusterView {
        @Override
        public void heardNode(ActorRef<?> from) {
            // Nobody asks.
        }

        @Override
        public void heardTrainer(String processId, ActorRef<?> from) {
            // Nobody asks.
        }

        @Override
        public void gone(String processId) {
            // There is no cluster to tell.
        }

        @Override
        public boolean mayGoOn(Set<String> heard, Set<String> gone) {
            return true;
        }
    }

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
        journal.close();
    }

    private RunPlan plan(boolean resume) {
        return RunConfig.load(
                        "",
                        List.of(
                                "cluster.replicas=2",
                                "train.steps=20",
                                "train.warmupSteps=2",
                                "train.checkpointEverySteps=10",
                                "probe.everySteps=20"))
                .config()
                .plan(directory, resume);
    }

    private static DataAddress address(String process, int replica) {
        return new DataAddress(process, "127.0.0.1", 1, replica);
    }

    /** A trainer that does what it is told at once. */
    private class Puppet {
        private final TestProbe<Trainer.Command> probe = kit.createTestProbe();
        private final DataAddress address;
        private final Member member;

        Puppet(String node, int replica) {
            address = address(node, replica);
            member = new Member(address, node);
            announce();
        }

        void announce() {
            announce("the images");
        }

        void announce(String identity) {
            coordinator.tell(new Coordinator.Announce(member.standing(), identity, probe.getRef()));
        }

        Assignment formed() {
            assertTrue(member.prepare(awaited(Trainer.Form.class).place()));
            if (member.needsWeights()) {
                member.restored();
            }
            member.begin();
            announce();
            return member.place();
        }

        /** Skips what is said again and again, and says who is in its generation. */
        <T extends Trainer.Command> T awaited(Class<T> kind) {
            Trainer.Command message = probe.receiveMessage();
            while (!kind.isInstance(message)) {
                if (message instanceof Trainer.Describe) {
                    coordinator.tell(new Coordinator.Described(member.roster().orElseThrow()));
                }
                message = probe.receiveMessage();
            }
            return kind.cast(message);
        }

        void step(int steps) {
            for (int i = 0; i < steps; i++) {
                member.applied(i);
            }
            announce();
        }

        void halt() {
            member.halt();
            announce();
        }

        void finish(String hash) {
            member.finish(hash);
            announce();
        }
    }

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
        assertTrue(untrained.probe());
        coordinator.tell(new Coordinator.CheckpointWritten(10, "dir10", "h10"));
        assertFalse(prober.expectMessageClass(ProbeActor.Evaluate.class).probe());
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

    private ActionAnswer ask(ActionKind kind, String ofNode, String level) {
        TestProbe<Coordinator.Answered> asker = kit.createTestProbe();
        coordinator.tell(new Coordinator.Ask(new ActionRequest(kind, ofNode, level, "127.0.0.1"), asker.getRef()));
        return asker.receiveMessage().answer();
    }

    /** The next action that is journalled with that outcome. */
    private Event.Action action(String outcome) {
        while (true) {
            if (monitor.receiveMessage() instanceof MonitorActor.Record record
                    && record.event() instanceof Event.Action action
                    && action.outcome().equals(outcome)) {
                return action;
            }
        }
    }

    @Test
    void aPauseLastsUntilItIsResumed() {
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("b", 0);
        zero.formed();
        one.formed();
        assertTrue(ask(ActionKind.PAUSE, "", "").accepted());
        assertEquals("127.0.0.1", action(Event.Action.ASKED).who());
        zero.awaited(Trainer.Pause.class);
        zero.step(7);
        one.step(7);
        zero.halt();
        one.halt();
        Event.Action paused = action(Event.Action.DONE);
        assertTrue(paused.pauses());
        assertEquals(7, paused.step());
        assertEquals("the run is paused already", ask(ActionKind.PAUSE, "", "").line());
        assertEquals("pause", action(Event.Action.REFUSED).action());
        zero.probe.expectNoMessage();
        assertTrue(ask(ActionKind.RESUME, "", "").accepted());
        assertTrue(action(Event.Action.DONE).resumes());
        assertEquals(7, zero.formed().firstStep());
        assertEquals(Origin.Kind.KEPT, one.formed().origin().kind());
        assertEquals("the run is not paused", ask(ActionKind.RESUME, "", "").line());
    }

    @Test
    void aCheckpointThatIsAskedForIsWrittenAndProbedWhereThatIsAsked() {
        assertFalse(ask(ActionKind.CHECKPOINT, "", "").accepted(), "there are no weights yet");
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("b", 0);
        zero.formed();
        one.formed();
        coordinator.tell(new Coordinator.JoinProbe("main", prober.getRef()));
        assertTrue(ask(ActionKind.CHECKPOINT, "", "").accepted());
        zero.awaited(Trainer.Save.class);
        coordinator.tell(new Coordinator.CheckpointWritten(7, "dir7", "h7"));
        coordinator.tell(new Coordinator.Saved(7, "h7"));
        assertFalse(prober.expectMessageClass(ProbeActor.Evaluate.class).probe());
        assertEquals("step 7 is written", action(Event.Action.DONE).detail());

        assertTrue(ask(ActionKind.PROBE, "", "").accepted());
        zero.awaited(Trainer.Save.class);
        zero.probe.stop(); // Before it has written: another does.
        one.awaited(Trainer.Save.class);
        coordinator.tell(new Coordinator.CheckpointWritten(8, "dir8", "h8"));
        coordinator.tell(new Coordinator.Saved(8, "h8"));
        ProbeActor.Evaluate evaluate = prober.expectMessageClass(ProbeActor.Evaluate.class);
        assertEquals(8, evaluate.step());
        assertTrue(evaluate.probe());
        coordinator.tell(new Coordinator.Evaluated(8, 0.25));
        assertEquals(
                "step 8 has validation loss 0.2500", action(Event.Action.DONE).detail());

        assertTrue(ask(ActionKind.PROBE, "", "").accepted());
        one.awaited(Trainer.Save.class);
        coordinator.tell(new Coordinator.Saved(8, "h8")); // Written already, as in a pause.
        ProbeActor.Evaluate again = prober.expectMessageClass(ProbeActor.Evaluate.class);
        assertTrue(again.probe());
        assertTrue(again.checkpoint().endsWith("step-00000008"), again.checkpoint());
    }

    @Test
    void nodesAreDrainedAndLogAsTheyAreTold() {
        TestProbe<Coordinator.Admission> node = kit.createTestProbe();
        coordinator.tell(new Coordinator.JoinNode("trainer-1", "p", Coordinator.PROTOCOL, node.getRef()));
        node.expectMessageClass(Coordinator.Welcome.class);
        assertEquals(
                "no node 'trainer-2' is here; choose one of trainer-1",
                ask(ActionKind.DRAIN, "trainer-2", "").line());
        assertTrue(ask(ActionKind.DRAIN, "main", "").line().startsWith("main holds the run together"));
        assertTrue(ask(ActionKind.LOG_LEVEL, "", "debug").accepted());
        assertEquals("debug", node.expectMessageClass(NodeOrder.Log.class).level());
        assertTrue(ask(ActionKind.DRAIN, "trainer-1", "").accepted());
        node.expectMessageClass(NodeOrder.Drain.class);
        assertFalse(ask(ActionKind.DRAIN, "trainer-1", "").accepted(), "once is enough");
        coordinator.tell(new Coordinator.Stop());
        Event.Action left = action(Event.Action.REFUSED);
        while (!left.detail().equals("the run ended before")) {
            left = action(Event.Action.REFUSED);
        }
        assertEquals("trainer-1", left.subject());
    }

    @Test
    void whoAsksAfterTheEndIsAnsweredAtOnce() {
        coordinator.tell(new Coordinator.Stop());
        assertEquals("stopped", follower.receiveMessage().outcome());
        TestProbe<Outcome> late = kit.createTestProbe();
        coordinator.tell(new Coordinator.Follow(late.getRef()));
        assertEquals("stopped", late.receiveMessage().outcome());
        assertEquals("the run is over", ask(ActionKind.PAUSE, "", "").line());
    }
}
