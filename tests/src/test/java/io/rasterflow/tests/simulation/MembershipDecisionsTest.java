package io.rasterflow.tests.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.exchange.Liveness;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.membership.Phase;
import io.rasterflow.actors.membership.RestorePoint;
import io.rasterflow.actors.membership.Standing;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * What the coordinator decides when ranks are lost, silent or apart, case by case: also where a wrong decision would cost
 * time only, which the simulation's invariants do not see.
 */
class MembershipDecisionsTest extends Decisions {

    @Test
    void theFirstGenerationBeginsWhenAllAreHere() {
        coordinator(2, 1, 4);
        Member b = arrive("b");
        assertFalse(membership.begun());
        Member a = arrive("a");
        assertEquals(Phase.TRAINING, a.phase());
        assertEquals(0, last(a).rank(), "ranks follow names, not the order of arrival");
        assertEquals(1, last(b).rank());
        assertEquals(Origin.Kind.SEED, origin(a));
    }

    @Test
    void survivorsRedoTheStepAndTheLaggardTakesItFromWhoHasIt() {
        coordinator(3, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        Member c = arrive("c");
        step(a, b, c);
        step(a); // c dies before b has the sum
        die(c);
        assertEquals(2, last(a).generation().number());
        assertEquals(List.of(2L, 2L), List.of(a.step(), b.step()));
        assertEquals(a.digest(), b.digest());
        assertEquals(Origin.Kind.KEPT, origin(a));
        assertEquals(Optional.of(a.standing().address()), last(b).origin().peer());
    }

    @Test
    void noGenerationIsFormedBeforeAllOfTheLastHaveStopped() {
        coordinator(3, 1, 4);
        arrive("a");
        Member b = arrive("b");
        Member c = arrive("c");
        members.remove(b.standing().address()); // hears nothing for now
        die(c);
        pass(200);
        assertEquals(1, membership.generation().orElseThrow().number());
        b.applied(0);
        b.end(1);
        members.put(b.standing().address(), b);
        tell(b);
        assertEquals(2, membership.generation().orElseThrow().number());
        assertEquals(1, last(b).firstStep());
    }

    @Test
    void fewerThanMinNodesWait() {
        coordinator(2, 2, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        die(b);
        pass(200);
        assertEquals(Phase.HALTED, a.phase());
        assertTrue(log.contains(new Order.Wait("waiting: 1 trainer node is here, cluster.minNodes asks for 2")));
        Member c = arrive("c");
        assertEquals(Phase.TRAINING, a.phase());
        assertEquals(1, c.step());
    }

    @Test
    void ranksThatDivergedEndTheRun() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        a.applied(1);
        b.applied(2);
        a.halt();
        tell(a);
        b.halt();
        tell(b);
        assertTrue(logged(Order.Fail.class));
        pass(200);
        assertEquals(Phase.HALTED, a.phase());
    }

    @Test
    void whoPeersCannotReachIsLeftOutForAWhile() {
        coordinator(3, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        Member c = arrive("c");
        for (int failure = 0; failure < 4 && c.phase() == Phase.TRAINING; failure++) {
            a.halt();
            tell(a);
            obey(membership.found(c.standing().address(), Liveness.SILENT, now));
            pass(200);
        }
        assertEquals(2, last(a).generation().worldSize());
        assertEquals(Phase.TRAINING, b.phase());
        assertEquals(Phase.HALTED, c.phase());
        long without = last(a).generation().number();
        pass(1_000);
        assertEquals(without, last(a).generation().number(), "nobody pauses for it");
        for (int second = 0; second < 16; second++) {
            pass(1_000);
        }
        assertEquals(3, last(a).generation().worldSize());
    }

    @Test
    void theSmallerSideOfACutWaits() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        mayGoOn = false;
        members.remove(b.standing().address());
        a.halt();
        tell(a);
        for (int second = 0; second < 5; second++) {
            pass(1_000);
        }
        obey(membership.found(b.standing().address(), Liveness.SILENT, now));
        pass(1_000);
        assertEquals(1, last(a).generation().number());
        mayGoOn = true;
        pass(1_000);
        assertEquals(1, last(a).generation().worldSize());
        assertEquals(Phase.TRAINING, a.phase());
    }

    @Test
    void whatShowsNoEffectIsSaidAgainAfterPausesThatDouble() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        members.remove(a.standing().address()); // It does not hear, but it is heard.
        log.clear();
        die(b);
        List<Long> said = new ArrayList<>();
        long begun = now;
        for (int i = 0; i < 500; i++) {
            long before = halts();
            now += 20;
            tell(a);
            obey(membership.tick(now));
            if (halts() > before) {
                said.add(now - begun);
            }
        }
        assertEquals(List.of(300L, 900L, 2_100L, 4_500L, 6_900L, 9_300L), said);
        members.put(a.standing().address(), a);
        pass(2_400);
        assertEquals(2, last(a).generation().number());
    }

    private long halts() {
        return log.stream().filter(Order.Halt.class::isInstance).count();
    }

    @Test
    void weightsThatAreNotOfThisRunAreReplaced() {
        coordinator(1, 1, 4);
        Member a = arrive("a");
        step(a);
        DataAddress stranger = new DataAddress("x", "x", 1, 0);
        obey(membership.heard(claim(stranger, 1, 0), now));
        pass(200);
        obey(membership.heard(claim(stranger, 2, last(a).generation().number() + 1), now));
        pass(200);
        assertEquals(2, last(a).generation().worldSize());
        assertEquals(1, last(a).firstStep());
        assertEquals(a.digest(), last(a).digest());
        assertEquals(
                List.of(new Origin(
                        Origin.Kind.PEER, "", Optional.of(a.standing().address()))),
                log.stream()
                        .filter(order ->
                                order instanceof Order.Form form && form.to().equals(stranger))
                        .map(order -> ((Order.Form) order).place().origin())
                        .distinct()
                        .toList());
    }

    /** Of one that has further weights, from nobody knows where. */
    private static Standing claim(DataAddress stranger, long sequence, long expected) {
        return new Standing(
                stranger, "x", sequence, Phase.WAITING, 0, 0, 0, expected, STEPS, "another history", "", false, 0.0);
    }

    @Test
    void aCheckpointIsTakenWhenNobodyIsLeft() {
        coordinator(1, 1, 4);
        Member a = arrive("a");
        step(a);
        saved = new RestorePoint("step-1", 1, a.digest());
        step(a);
        die(a);
        Member b = arrive("b");
        pass(200);
        assertEquals(Origin.Kind.CHECKPOINT, origin(b));
        assertEquals(1, b.step());
    }

    @Test
    void whoeverSaysAgainThatItStoodInTheLastGenerationDoesNotBreakTheNext() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        members.remove(b.standing().address()); // hears nothing for now
        a.halt();
        tell(a);
        b.halt();
        tell(b);
        assertEquals(2, last(a).generation().number());
        log.clear();
        b.end(1);
        tell(b);
        now += 200;
        obey(membership.tick(now));
        assertFalse(logged(Order.Halt.class));
        members.put(b.standing().address(), b);
        pass(300);
        assertEquals(2, last(b).generation().number());
        assertEquals(List.of(Phase.TRAINING, Phase.TRAINING), List.of(a.phase(), b.phase()));
    }

    @Test
    void aCoordinatorThatHearsTooFewForLongStopsItsRanks() {
        coordinator(1, 1, 1);
        Member a = arrive("a");
        mayGoOn = false;
        pass(2_000);
        assertEquals(Phase.TRAINING, a.phase(), "it may be a short silence of the others");
        pass(2_000);
        assertEquals(Phase.HALTED, a.phase());
        pass(60_000);
        assertEquals(1, last(a).generation().number());
        mayGoOn = true;
        pass(200);
        assertEquals(Phase.TRAINING, a.phase());
    }

    @Test
    void whileAllRanksAreSilentNobodyTakesTheirPlaces() {
        coordinator(1, 1, 1);
        Member a = arrive("a");
        Member reserve = arrive("b");
        step(a);
        members.remove(a.standing().address()); // It trains beyond a cut.
        for (int second = 0; second < 5; second++) {
            pass(1_000);
        }
        obey(membership.found(a.standing().address(), Liveness.SILENT, now));
        pass(1_000);
        assertEquals(Phase.WAITING, reserve.phase());
        step(a);
        members.put(a.standing().address(), a);
        pass(200);
        pass(200);
        assertEquals(2, last(a).firstStep(), "nothing that it did meanwhile is lost");
    }

    @Test
    void whoIsSilentIsNotDead() {
        coordinator(2, 1, 2);
        Member a = arrive("a");
        Member b = arrive("b");
        members.remove(b.standing().address());
        a.halt();
        tell(a);
        for (int second = 0; second < 3; second++) {
            pass(1_000);
        }
        obey(membership.found(b.standing().address(), Liveness.SILENT, now));
        pass(200);
        assertEquals(1, last(a).generation().worldSize());
        assertEquals(0, gone);
        members.put(b.standing().address(), b);
        for (int i = 0; i < 3; i++) {
            pass(400);
        }
        assertEquals(2, last(b).generation().worldSize());
        assertFalse(logged(Order.Retire.class));
    }

    /** Two coordinators must have erred for this, which the simulation's messages are not late enough for. */
    @Test
    void whoIsFurtherThanItsPlaceKeepsItsWeights() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        a.halt();
        a.prepare(
                new Assignment(
                        new Generation(2, List.of(a.standing().address()), 4),
                        0,
                        0,
                        "seed",
                        new Origin(
                                Origin.Kind.PEER, "", Optional.of(b.standing().address())),
                        0),
                1);
        assertTrue(a.outdated());
        assertEquals(1, a.step());
    }

    @Test
    void ofProcessesThatAreGoneOnlySoManyAreRemembered() {
        coordinator(1, 1, 4);
        for (int process = 0; process < 10_100; process++) {
            obey(membership.gone("process " + process, "it was killed", now));
        }
        arrive("a");
        assertEquals(10_000, gone);
    }
}
