package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.coordinator.Coordinator;
import io.rasterflow.actors.coordinator.Coordinator.Outcome;
import io.rasterflow.actors.coordinator.NodeOrder;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.probe.ProbeActor;
import io.rasterflow.actors.trainer.Trainer;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.monitoring.action.ActionAnswer;
import io.rasterflow.monitoring.action.ActionKind;
import io.rasterflow.monitoring.action.ActionRequest;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.MonitorActor;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.Test;

/** What the coordinator makes of what users ask of a run. */
class CoordinatorWishesTest extends CoordinatorFixture {
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
        assertEquals(
                List.of(), prober.expectMessageClass(ProbeActor.Evaluate.class).probes());
        assertEquals("step 7 is written", action(Event.Action.DONE).detail());

        assertTrue(ask(ActionKind.PROBE, "", "").accepted());
        zero.awaited(Trainer.Save.class);
        zero.probe.stop(); // Before it has written: another does.
        one.awaited(Trainer.Save.class);
        coordinator.tell(new Coordinator.CheckpointWritten(8, "dir8", "h8"));
        coordinator.tell(new Coordinator.Saved(8, "h8"));
        ProbeActor.Evaluate evaluate = prober.expectMessageClass(ProbeActor.Evaluate.class);
        assertEquals(8, evaluate.step());
        assertEquals(List.of(ProbeKind.ATTENTIVE, ProbeKind.KNN), evaluate.probes());
        coordinator.tell(new Coordinator.Evaluated(8, 0.25));
        assertEquals(
                "step 8 has validation loss 0.2500", action(Event.Action.DONE).detail());

        assertTrue(ask(ActionKind.PROBE, "", "").accepted());
        one.awaited(Trainer.Save.class);
        coordinator.tell(new Coordinator.Saved(8, "h8")); // Written already, as in a pause.
        ProbeActor.Evaluate again = prober.expectMessageClass(ProbeActor.Evaluate.class);
        assertEquals(evaluate.probes(), again.probes());
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

    @Test
    void aCheckpointIsWrittenOnceWhateverBecomesOfTheGeneration() {
        Puppet zero = new Puppet("a", 0);
        Puppet one = new Puppet("b", 0);
        zero.formed();
        one.formed();
        assertTrue(ask(ActionKind.CHECKPOINT, "", "").accepted());
        zero.awaited(Trainer.Save.class);
        zero.halt();
        one.halt();
        zero.formed();
        one.formed();
        zero.probe.expectNoMessage(Duration.ofMillis(500));
        one.probe.expectNoMessage();
        coordinator.tell(new Coordinator.Saved(7, "h7"));
        assertEquals("step 7 is written", action(Event.Action.DONE).detail());
    }
}
