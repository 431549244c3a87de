package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.monitor.SlowRank;
import io.rasterflow.monitoring.monitor.SlowRanks;
import io.rasterflow.monitoring.monitor.SlowRanks.Change;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SlowRanksTest {

    private final SlowRanks ranks = new SlowRanks();
    private final List<Change> changes = new ArrayList<>();
    private long generation;
    private int[] microBatches;
    private long step;

    /** A new generation in which the ranks have so many micro-batches each. */
    private void form(int... microBatchesOfRanks) {
        generation++;
        microBatches = microBatchesOfRanks;
        int all = IntStream.of(microBatches).sum();
        int first = 0;
        for (int rank = 0; rank < microBatches.length; rank++) {
            int end = first + microBatches[rank];
            ranks.add(new Event.Formed(
                    0, node(rank), generation, rank, microBatches.length, all, first, end, step + 1, ""));
            first = end;
        }
    }

    /** All ranks do steps with these ledgers; whoever is early waits in the exchange for the last. */
    private void steps(int count, IntFunction<Ledger> ledgers) {
        for (int i = 0; i < count; i++) {
            step++;
            double longest = IntStream.range(0, microBatches.length)
                    .mapToDouble(rank -> ledgers.apply(rank).total())
                    .max()
                    .orElseThrow();
            for (int rank = 0; rank < microBatches.length; rank++) {
                Ledger own = ledgers.apply(rank);
                Ledger all = new Ledger(
                        own.fetch(),
                        own.decode(),
                        own.waiting(),
                        own.compute(),
                        own.exchange() + longest - own.total(),
                        own.update());
                changes.addAll(ranks.add(event(generation, rank, all)));
            }
        }
    }

    private Event.Step event(long ofGeneration, int rank, Ledger ledger) {
        return new Event.Step(
                step, node(rank), rank, microBatches.length, ofGeneration, step, 0, 1, 1, 1e-3, 64, ledger, null);
    }

    private static String node(int rank) {
        return "node-" + (char) ('a' + rank);
    }

    /** Seconds of a step with 4 micro-batches, half a second each without the update. */
    private static Ledger plain() {
        return new Ledger(0.1, 0.2, 0.1, 1.6, 0.05, 0.2);
    }

    private static Ledger computing(double times) {
        return new Ledger(0.1, 0.2, 0.1, 1.6 * times, 0.05, 0.2);
    }

    private static IntFunction<Ledger> slow(int slow, double times) {
        return rank -> {
            Ledger even = plain();
            return rank != slow
                    ? even
                    : new Ledger(
                            times * even.fetch(),
                            times * even.decode(),
                            times * even.waiting(),
                            times * even.compute(),
                            even.exchange(),
                            times * even.update());
        };
    }

    @Test
    void evenRanksAreNotNamed() {
        form(4, 4, 4);
        for (int i = 0; i < 200; i++) {
            double beat = i;
            steps(1, rank -> computing(1 + 0.3 * Math.sin(beat * 0.9 + rank)));
        }
        assertEquals(List.of(), changes);
        IntStream.range(0, 3).forEach(rank -> assertEquals(1, ranks.ratio(rank), 0.1));
    }

    @Test
    void theSlowOneIsNamedAndNotThoseThatWaitForIt() {
        form(4, 4, 4, 4);
        steps(60, slow(2, 1.6));
        SlowRank slow = ranks.slow().get(0);
        assertEquals(List.of(slow), ranks.slow());
        assertEquals(List.of(2, "node-c", "compute"), List.of(slow.rank(), slow.node(), slow.part()));
        assertEquals(1.6, slow.ratio(), 1e-9);
        assertEquals(1.6, ranks.ratio(2), 1e-9);
        assertEquals(1, ranks.ratio(0), 1e-9);
        assertEquals(List.of(new Change(slow, true)), changes, "said once");
        assertEquals(SlowRanks.ENOUGH, slow.sinceStep());
    }

    @Test
    void ofTwoRanksOneIsSlowAndTheOtherFast() {
        form(4, 4);
        steps(60, slow(0, 2));
        assertEquals(1, ranks.slow().size());
        assertEquals(2, ranks.ratio(0), 1e-9);
        assertEquals(0.5, ranks.ratio(1), 1e-9);
    }

    @Test
    void theSlowestComesFirst() {
        form(4, 4, 4, 4, 4);
        steps(60, rank -> computing(rank == 1 ? 1.5 : rank == 3 ? 3 : 1));
        assertEquals(List.of(3, 1), ranks.slow().stream().map(SlowRank::rank).toList());
    }

    @Test
    void theLargerPartOfTheLedgerIsSaid() {
        form(4, 4, 4);
        steps(60, rank -> switch (rank) {
            case 0 -> plain();
            // Each of the three is less than the computing in excess, together they are more.
            case 1 -> new Ledger(0.6, 0.7, 0.6, 2.3, 0.05, 0.2);
            default -> new Ledger(0.1, 0.2, 0.1, 1.6, 0.05, 3);
        });
        assertEquals(
                List.of("update", "input wait"),
                ranks.slow().stream().map(SlowRank::part).toList());
    }

    @Test
    void aNameIsGivenLateAndTakenLate() {
        form(4, 4, 4);
        steps(60, slow(1, 1.15));
        assertEquals(List.of(), ranks.slow(), "not yet slow");
        steps(60, slow(1, 1.25));
        assertEquals(1, ranks.slow().size());
        steps(60, slow(1, 1.15));
        assertEquals(1.15, ranks.slow().get(0).ratio(), 1e-9, "still slow");
        steps(60, slow(1, 1.05));
        assertEquals(List.of(), ranks.slow());
        assertEquals(List.of(true, false), changes.stream().map(Change::slow).toList());
        assertEquals(1.25, changes.get(0).rank().ratio(), 1e-9, "of the new pace, not of the way there");
        assertTrue(changes.get(1).rank().ratio() < SlowRanks.FAST);
    }

    @Test
    void aPauseNowAndThenIsNotSlow() {
        form(4, 4);
        for (int i = 0; i < 20; i++) {
            steps(9, rank -> plain());
            steps(1, slow(0, 30));
        }
        assertEquals(List.of(), changes);
    }

    @Test
    void tooFewStepsSayNothing() {
        form(4, 4);
        steps(SlowRanks.ENOUGH, slow(1, 3));
        assertTrue(Double.isNaN(ranks.ratio(1)));
        steps(1, slow(1, 3));
        assertEquals(3, ranks.ratio(1), 1e-9);
    }

    @Test
    void aSingleRankHasNobodyToBeComparedWith() {
        form(8);
        steps(100, rank -> plain());
        assertTrue(Double.isNaN(ranks.ratio(0)));
        assertEquals(List.of(), ranks.slow());
    }

    @Test
    void aNewGenerationBeginsFromNothing() {
        form(4, 4, 4);
        steps(60, slow(1, 2));
        assertEquals(1, ranks.slow().size());
        ranks.enter(generation + 1);
        assertEquals(List.of(), ranks.slow(), "as soon as the old one is over");
        form(6, 6);
        changes.addAll(ranks.add(event(generation - 1, 1, computing(9))));
        steps(SlowRanks.ENOUGH, slow(0, 2));
        assertTrue(Double.isNaN(ranks.ratio(0)));
        steps(1, slow(0, 2));
        assertEquals(2, ranks.ratio(0), 1e-9, "a late step of the old one does not count");
        assertEquals(List.of(0), ranks.slow().stream().map(SlowRank::rank).toList());
    }

    @Test
    void timeGoesByMicroBatch() {
        form(3, 2, 1);
        // One update a step, whatever a rank's number of micro-batches.
        steps(60, rank -> new Ledger(0, 0.1 * microBatches[rank], 0, 0.4 * microBatches[rank], 0.1, 0.5));
        assertEquals(List.of(), changes);
        IntStream.range(0, 3).forEach(rank -> assertEquals(1, ranks.ratio(rank), 1e-9));

        form(3, 2);
        steps(60, rank -> new Ledger(0, 0, 0, 1.2, 0.1, 0));
        assertEquals(1.5, ranks.ratio(1), 1e-9, "in the time of three micro-batches it computes two");
        assertEquals(List.of(1), ranks.slow().stream().map(SlowRank::rank).toList());
    }

    @Test
    void withoutItsPlaceARankIsNotJudged() {
        microBatches = new int[] {4, 4};
        steps(60, slow(1, 3));
        assertEquals(List.of(), changes);
        assertTrue(Double.isNaN(ranks.ratio(1)));
    }
}
