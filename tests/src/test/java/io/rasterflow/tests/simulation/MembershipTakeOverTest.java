package io.rasterflow.tests.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Phase;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a coordinator decides that begins while a generation of another is under way, case by case. */
class MembershipTakeOverTest extends Decisions {

    @Test
    void anotherCoordinatorKnowsOfNoPause() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        obey(membership.hold(now));
        coordinator(2, 1, 4);
        tell(a);
        pass(200);
        assertEquals(List.of(Phase.TRAINING, Phase.TRAINING), List.of(a.phase(), b.phase()));
        assertEquals(1, last(b).firstStep());
    }

    @Test
    void anotherCoordinatorLearnsTheGenerationFromTheRanks() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        coordinator(1, 1, 4);
        log.clear();
        Member joiner = arrive("c");
        assertFalse(membership.begun(), "nobody has told yet how far generation 1 is");
        tell(a);
        tell(b);
        assertFalse(logged(Order.Formed.class));
        assertEquals(1, membership.generation().orElseThrow().number());
        pass(200);
        pass(200);
        assertEquals(2, last(joiner).generation().number());
        assertEquals(3, last(joiner).generation().worldSize());
        assertEquals(1, joiner.step());
    }

    @Test
    void nothingIsDecidedBeforeItIsKnownWhoIsInTheGenerationOfAnother() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        step(a, b);
        coordinator(1, 1, 4);
        members.remove(a.standing().address());
        members.remove(b.standing().address()); // They do not hear, but they are heard.
        Member joiner = arrive("c");
        log.clear();
        for (int second = 0; second < 20; second++) {
            now += 1_000;
            tell(a);
            tell(b);
            tell(joiner);
            obey(membership.tick(now));
        }
        assertTrue(logged(Order.Describe.class));
        assertFalse(logged(Order.Formed.class));
        long asked = log.stream().filter(Order.Describe.class::isInstance).count();
        assertTrue(asked <= 12, asked + " questions");
        members.put(a.standing().address(), a);
        members.put(b.standing().address(), b);
        pass(2_400);
        pass(200);
        pass(200);
        assertEquals(3, last(joiner).generation().worldSize());
        assertEquals(1, joiner.step());
    }

    @Test
    void aCoordinatorThatStoodStillHearsAllAnewBeforeItDecides() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        a.halt();
        b.halt();
        now += 8_000; // Another may have become the coordinator; what these had said piled up.
        tell(a);
        tell(b);
        obey(membership.tick(now));
        assertEquals(1, membership.generation().orElseThrow().number());
        members.clear(); // They speak to the other.
        mayGoOn = false;
        pass(5_000);
        assertEquals(1, membership.generation().orElseThrow().number());
        members.put(a.standing().address(), a);
        members.put(b.standing().address(), b);
        mayGoOn = true;
        for (int i = 0; i < 3; i++) {
            pass(1_000);
        }
        assertEquals(2, last(a).generation().number());
    }

    @Test
    void aPlaceThatCanNoLongerBeTakenIsNotWaitedFor() {
        coordinator(2, 1, 4);
        Member a = arrive("a");
        Member b = arrive("b");
        members.remove(
                b.standing().address()); // Does not hear that it has a place in generation 2, but that it is over.
        a.halt();
        tell(a);
        b.halt();
        tell(b);
        b.end(2);
        members.put(b.standing().address(), b);
        coordinator(2, 1, 4);
        tell(a);
        tell(b);
        pass(200);
        pass(200);
        assertEquals(
                List.of(3L, 3L),
                List.of(last(a).generation().number(), last(b).generation().number()));
    }
}
