package io.rasterflow.tests.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Liveness;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.GenerationNumbers;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.membership.Membership;
import io.rasterflow.actors.membership.Order;
import io.rasterflow.actors.membership.Origin;
import io.rasterflow.actors.membership.Phase;
import io.rasterflow.actors.membership.RestorePoint;
import io.rasterflow.actors.membership.Rules;
import io.rasterflow.actors.membership.Standing;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What the coordinator decides, case by case. Messages arrive at once; time goes by when a test says so. */
class MembershipDecisionsTest {

    private static final int STEPS = 10;

    private final Map<DataAddress, Member> members = new LinkedHashMap<>();
    private final List<Order> log = new ArrayList<>();
    private Membership membership;
    private RestorePoint saved = new RestorePoint("", 0, "seed");
    private boolean mayGoOn = true;
    private long number;
    private long now;

    private void coordinator(int worldSize, int minNodes, int microBatches) {
        long inherited = number;
        GenerationNumbers numbers = new GenerationNumbers() {
            @Override
            public long highest() {
                return inherited;
            }

            @Override
            public long next(long known) {
                number = Math.max(number, known) + 1;
                return number;
            }
        };
        Rules rules = new Rules(worldSize, minNodes, microBatches, STEPS, 1_500);
        membership = new Membership(rules, (heard, gone) -> mayGoOn, () -> Optional.of(saved), numbers);
    }

    private Member arrive(String node) {
        DataAddress address = new DataAddress(node + "#" + members.size(), node, 1, 0);
        Member member = new Member(address, node);
        members.put(address, member);
        tell(member);
        return member;
    }

    private void tell(Member member) {
        obey(membership.heard(member.standing(), now));
    }

    private void obey(List<Order> orders) {
        for (Order order : orders) {
            log.add(order);
            if (order instanceof Order.ToTrainer toTrainer) {
                obey(order, members.get(toTrainer.to()));
            }
        }
    }

    private void obey(Order order, Member member) {
        if (member == null) {
            return; // It has died.
        }
        if (order instanceof Order.Form form && member.prepare(form.place())) {
            if (member.needsWeights()) {
                member.discard();
                member.restored();
            }
            member.begin();
            tell(member);
        } else if (order instanceof Order.Halt halt) {
            member.end(halt.generation());
            tell(member);
        } else if (order instanceof Order.Pause) {
            member.halt();
            tell(member);
        } else if (order instanceof Order.Describe) {
            obey(membership.described(member.roster().orElseThrow(), now));
        } else if (order instanceof Order.Save) {
            saved = new RestorePoint("saved", member.step(), member.digest());
            obey(membership.saved(now));
        } else if (order instanceof Order.Retire) {
            members.values().remove(member);
        }
    }

    /** Everybody is heard again, then the coordinator looks around. */
    private void pass(long millis) {
        now += millis;
        List.copyOf(members.values()).forEach(this::tell);
        obey(membership.tick(now));
    }

    private void step(Member... ranks) {
        for (Member rank : ranks) {
            rank.applied(rank.step());
        }
    }

    private void die(Member member) {
        members.values().remove(member);
        obey(membership.found(member.standing().address(), Liveness.GONE, now));
    }

    private Assignment last(Member member) {
        return member.place();
    }

    private boolean logged(Class<? extends Order> kind) {
        return log.stream().anyMatch(kind::isInstance);
    }

    private static Origin.Kind origin(Member member) {
        return member.place().origin().kind();
    }

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
    void joinersEnterAtAStepBoundary() {
        coordinator(1, 1, 4);
        Member a = arrive("a");
        step(a);
        Member b = arrive("b");
        assertEquals(Phase.WAITING, b.phase());
        pass(200);
        assertTrue(logged(Order.Pause.class));
        assertEquals(Phase.TRAINING, b.phase());
        assertEquals(1, b.step());
        assertEquals(Origin.Kind.PEER, origin(b));
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
        assertEquals(2, last(joiner).generation().number());
        assertEquals(3, last(joiner).generation().worldSize());
        assertEquals(1, joiner.step());
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
        assertEquals(3, last(joiner).generation().worldSize());
        assertEquals(1, joiner.step());
    }

    @Test
    void weightsThatAreNotOfThisRunAreReplaced() {
        coordinator(1, 1, 4);
        Member a = arrive("a");
        step(a);
        DataAddress stranger = new DataAddress("x", "x", 1, 0);
        Standing claim =
                new Standing(stranger, "x", 1, Phase.WAITING, 0, 0, 0, STEPS, "another history", "", false, 0.0);
        obey(membership.heard(claim, now));
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
}
