package io.rasterflow.tests.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.membership.Phase;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the coordinator decides when trainers come and go and the run is to rest or to stop, case by case. */
class MembershipChangesTest extends Decisions {

    @Test
    void joinersEnterAtAStepBoundary() {
        coordinator(1, 1, 4);
        Member a = arrive("a");
        step(a);
        Member b = arrive("b");
        assertEquals(Phase.WAITING, b.phase());
        pass(200);
        pass(200);
        assertTrue(logged(Order.Pause.class));
        assertEquals(Phase.TRAINING, b.phase());
        assertEquals(1, b.step());
        assertEquals(Origin.Kind.PEER, origin(b));
    }

    @Test
    void joinersAndRanksConnectWhileTheRanksTrain() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        connects = false;
        Member c = arrive("c");
        pass(1_000);
        List<Order.Expect> expected = expected();
        assertEquals(
                Set.of(address(a), address(b), address(c)),
                expected.stream().map(Order.Expect::to).collect(Collectors.toSet()));
        assertEquals(
                1,
                expected.stream()
                        .map(order -> order.roster().number())
                        .distinct()
                        .count());
        assertFalse(logged(Order.Pause.class), "they are not connected yet");
        step(a, b);
        connects = true;
        pass(3_000);
        assertEquals(3, last(c).generation().worldSize());
        assertEquals(expected.get(0).roster().number(), c.generationNumber());
        assertEquals(Origin.Kind.PEER, origin(c));
        assertEquals(1, last(a).takers() + last(b).takers());
    }

    @Test
    void whoCannotConnectAheadIsLetInAllTheSame() {
        coordinator(1, 1, 4);
        Member a = arrive("a");
        connects = false;
        Member b = arrive("b");
        pass(10_000);
        assertFalse(logged(Order.Pause.class));
        assertEquals(Phase.TRAINING, a.phase());
        pass(10_000);
        assertEquals(2, last(b).generation().worldSize());
        assertTrue(b.generationNumber() > expected().get(0).roster().number(), "that number may be burnt");
    }

    @Test
    void aJoinerThatDiesWhileItConnectsDisturbsNobody() {
        coordinator(1, 1, 4);
        Member a = arrive("a");
        long before = a.generationNumber();
        connects = false;
        Member b = arrive("b");
        pass(1_000);
        die(b);
        pass(30_000);
        assertEquals(before, a.generationNumber());
        Member c = arrive("c");
        pass(10_000);
        assertFalse(logged(Order.Pause.class), "the next has as much time as the first");
        connects = true;
        pass(4_000);
        assertEquals(2, last(c).generation().worldSize());
        assertTrue(c.generationNumber() > expected().get(0).roster().number());
    }

    /** Another one that comes meanwhile is connected, too, and nobody waits twice. */
    @Test
    void expectationsFollowWhoIsThere() {
        coordinator(1, 1, 4);
        arrive("a");
        connects = false;
        arrive("b");
        pass(1_000);
        connects = true;
        Member c = arrive("c");
        pass(2_000);
        assertEquals(3, last(c).generation().worldSize());
        assertEquals(
                2,
                expected().stream()
                        .map(order -> order.roster().number())
                        .distinct()
                        .count());
        assertEquals(1, log.stream().filter(Order.Pause.class::isInstance).count());
    }

    private List<Order.Expect> expected() {
        return log.stream()
                .filter(Order.Expect.class::isInstance)
                .map(Order.Expect.class::cast)
                .toList();
    }

    private static DataAddress address(Member member) {
        return member.standing().address();
    }

    @Test
    void aRunThatIsHeldRestsUntilItIsReleased() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        obey(membership.hold(now));
        assertTrue(membership.rests());
        Member c = arrive("c");
        pass(60_000);
        assertEquals(List.of(Phase.HALTED, Phase.HALTED, Phase.WAITING), List.of(a.phase(), b.phase(), c.phase()));
        assertFalse(logged(Order.Save.class), "nothing needs to be saved");
        obey(membership.release(now));
        assertFalse(membership.rests());
        assertEquals(3, last(a).generation().worldSize());
        assertEquals(List.of(1L, 1L, 1L), List.of(a.step(), b.step(), c.step()));
        assertEquals(List.of(Origin.Kind.KEPT, Origin.Kind.KEPT), List.of(origin(a), origin(b)));
    }

    @Test
    void duringAPauseTrainersMayDieAndLeaveAndTheRunMayStop() {
        coordinator(3, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        Member c = arrive("c");
        step(a, b, c);
        obey(membership.hold(now));
        die(c);
        b.leave();
        pass(200);
        pass(200);
        assertEquals(1, members.size(), "it need not wait for the others to go on");
        assertTrue(membership.rests());
        assertEquals(1, saved.step(), "its weights are safe");
        obey(membership.stop(now));
        assertTrue(membership.stopped());
        assertEquals(Phase.HALTED, a.phase());
    }

    @Test
    void aRunCanBeHeldBeforeItBegins() {
        coordinator(1, 1, 4);
        obey(membership.hold(now));
        Member a = arrive("a");
        pass(200);
        assertEquals(Phase.WAITING, a.phase());
        assertTrue(membership.rests());
        obey(membership.release(now));
        assertEquals(Phase.TRAINING, a.phase());
    }

    @Test
    void whoLeavesIsLetGoOnceTheOthersTrain() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        b.leave();
        pass(200);
        assertEquals(1, last(a).generation().worldSize());
        assertTrue(members.containsValue(b));
        pass(200);
        assertFalse(members.containsValue(b));
        assertEquals(1, membership.trainers());
    }

    @Test
    void whenAllLeaveTheLastWeightsAreSavedFirst() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        a.leave();
        b.leave();
        pass(200);
        pass(200);
        assertEquals(1, saved.step());
        assertTrue(members.isEmpty());
    }

    @Test
    void whoLeavesBeforeTheFirstGenerationIsLetGo() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        a.leave();
        pass(200);
        assertTrue(members.isEmpty());
    }

    @Test
    void aStopSavesAtTheBoundary() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        obey(membership.stop(now));
        pass(200);
        assertTrue(membership.stopped());
        assertEquals(1, saved.step());
        assertEquals(a.digest(), saved.digest());
    }

    @Test
    void noMoreRanksThanMicroBatches() {
        coordinator(2, 1, 2);
        Member a = arrive("a");
        Member b = arrive("b");
        Member c = arrive("c");
        pass(200);
        assertEquals(Phase.WAITING, c.phase());
        assertFalse(logged(Order.Pause.class));
        step(a, b);
        die(a);
        assertEquals(Phase.TRAINING, c.phase(), "the one in reserve takes the place");
        assertEquals(1, c.step());
    }

    @Test
    void whoLeavesGivesTheOthersItsWeightsBeforeItGoes() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        step(a); // b dies before it has the sum
        a.leave();
        die(b);
        Member c = arrive("c");
        pass(200);
        assertEquals(2, last(c).firstStep());
        assertEquals(Optional.of(a.standing().address()), last(c).origin().peer());
        pass(200);
        assertFalse(members.containsValue(a));
        assertEquals(List.of(Phase.TRAINING), List.of(c.phase()));
    }
}
