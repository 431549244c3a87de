package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.coordinator.Coordinator.Outcome;
import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.config.RunConfig;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
        coordinator = kit.spawn(Coordinator.create("main", plan(false), new Telemetry(journal, monitor.getRef())));
        coordinator.tell(new Coordinator.Follow(follower.getRef()));
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

    private TestProbe<Trainer.Command> join(String node, int replica) {
        TestProbe<Trainer.Command> trainer = kit.createTestProbe();
        coordinator.tell(new Coordinator.JoinTrainer(node, address(node, replica), trainer.getRef()));
        return trainer;
    }

    @Test
    void aNodeThatJoinsIsGivenThePlan() {
        TestProbe<Coordinator.Welcome> node = kit.createTestProbe();
        coordinator.tell(new Coordinator.JoinNode("trainer-1", node.getRef()));
        assertEquals(plan(false), node.receiveMessage().plan());
    }

    @Test
    void ranksFollowNodeNamesNotTheOrderOfArrival() {
        TestProbe<Trainer.Command> second = join("trainer-2", 0);
        second.expectNoMessage();
        TestProbe<Trainer.Command> first = join("trainer-1", 0);
        Trainer.Begin begin = first.expectMessageClass(Trainer.Begin.class);
        assertEquals(0, begin.rank());
        assertEquals(0, begin.firstStep());
        assertEquals("", begin.checkpoint());
        assertEquals(2, begin.generation().worldSize());
        assertEquals(1, second.expectMessageClass(Trainer.Begin.class).rank());
    }

    @Test
    void aTrainerThatLeavesBeforeTheStartIsNotCounted() {
        TestProbe<Trainer.Command> gone = join("trainer-1", 0);
        gone.stop();
        MonitorActor.Record down = monitor.expectMessageClass(MonitorActor.Record.class);
        assertEquals("down", ((Event.Membership) down.event()).change());
        TestProbe<Trainer.Command> one = join("trainer-2", 0);
        one.expectNoMessage();
        join("trainer-3", 0);
        assertEquals(0, one.expectMessageClass(Trainer.Begin.class).rank());
    }

    @Test
    void checkpointsAreValidatedAndProbedWhenDue() {
        TestProbe<Trainer.Command> zero = join("a", 0);
        join("a", 1);
        zero.expectMessageClass(Trainer.Begin.class);
        coordinator.tell(new Coordinator.CheckpointWritten(0, "dir0", "h0"));
        coordinator.tell(new Coordinator.JoinProbe("a", prober.getRef()));
        ProbeActor.Evaluate untrained = prober.expectMessageClass(ProbeActor.Evaluate.class);
        assertEquals("dir0", untrained.checkpoint());
        assertTrue(untrained.probe());
        coordinator.tell(new Coordinator.CheckpointWritten(10, "dir10", "h10"));
        assertFalse(prober.expectMessageClass(ProbeActor.Evaluate.class).probe());
        coordinator.tell(new Coordinator.Evaluated(10, 0.5));
        assertEquals(new Trainer.Validated(10, 0.5), zero.expectMessageClass(Trainer.Validated.class));
    }

    @Test
    void theRunIsCompletedWhenAllRanksAgreeAndTheLastProbeIsIn() {
        join("a", 0);
        join("a", 1);
        coordinator.tell(new Coordinator.JoinProbe("a", prober.getRef()));
        coordinator.tell(new Coordinator.CheckpointWritten(20, "dir20", "hash"));
        coordinator.tell(new Coordinator.Finished(1, 20, "hash"));
        coordinator.tell(new Coordinator.Finished(0, 20, "hash"));
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
        join("a", 0);
        join("a", 1);
        coordinator.tell(new Coordinator.Finished(0, 20, "one"));
        coordinator.tell(new Coordinator.Finished(1, 20, "other"));
        Outcome outcome = follower.receiveMessage();
        assertEquals("failed", outcome.outcome());
        assertTrue(outcome.detail().contains("diverged"), outcome.detail());
    }

    @Test
    void aTrainerThatEndsWithoutAWordFailsTheRunAndDrainsTheOthers() {
        TestProbe<Trainer.Command> zero = join("a", 0);
        TestProbe<Trainer.Command> one = join("b", 0);
        zero.expectMessageClass(Trainer.Begin.class);
        coordinator.tell(new Coordinator.JoinProbe("a", prober.getRef()));
        coordinator.tell(new Coordinator.CheckpointWritten(10, "dir10", "h10"));
        prober.expectMessageClass(ProbeActor.Evaluate.class);
        one.stop();
        Outcome outcome = follower.receiveMessage();
        assertEquals("failed", outcome.outcome());
        assertTrue(outcome.detail().contains("rank 1 on b"), outcome.detail());
        assertTrue(outcome.detail().contains("step 10"), outcome.detail());
        zero.expectMessageClass(Trainer.Drain.class);
    }

    @Test
    void aNodeThatCannotTakePartFailsTheRunBeforeItBegins() {
        coordinator.tell(new Coordinator.TrainerFailed(-1, "trainer-1", "no such shard"));
        Outcome outcome = follower.receiveMessage();
        assertEquals("failed", outcome.outcome());
        assertTrue(outcome.detail().contains("no such shard"), outcome.detail());
    }

    @Test
    void stopDrainsAndTakesRankZerosStep() {
        TestProbe<Trainer.Command> zero = join("a", 0);
        TestProbe<Trainer.Command> one = join("a", 1);
        zero.expectMessageClass(Trainer.Begin.class);
        one.expectMessageClass(Trainer.Begin.class);
        coordinator.tell(new Coordinator.Stop());
        zero.expectMessageClass(Trainer.Drain.class);
        one.expectMessageClass(Trainer.Drain.class);
        coordinator.tell(new Coordinator.TrainerFailed(1, "a", "lost rank 0"));
        coordinator.tell(new Coordinator.Finished(0, 7, "hash"));
        assertEquals(new Outcome("stopped", 7, "", "hash"), follower.receiveMessage());
    }

    @Test
    void whoAsksAfterTheEndIsAnsweredAtOnce() {
        coordinator.tell(new Coordinator.Stop());
        assertEquals("stopped", follower.receiveMessage().outcome());
        TestProbe<Outcome> late = kit.createTestProbe();
        coordinator.tell(new Coordinator.Follow(late.getRef()));
        assertEquals("stopped", late.receiveMessage().outcome());
    }
}
