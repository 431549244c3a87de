package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.audit.Audit;
import io.rasterflow.monitoring.audit.AuditResult;
import io.rasterflow.monitoring.audit.Finding;
import io.rasterflow.monitoring.audit.Finding.Kind;
import io.rasterflow.monitoring.event.Event;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class AuditTest {

    private static final int BATCH = 16;
    private static final int MICRO_BATCHES = 4;

    private static RunHistory history() {
        return new RunHistory(BATCH, MICRO_BATCHES).start();
    }

    private static RunHistory old() {
        return new RunHistory(BATCH, MICRO_BATCHES, false).start();
    }

    private static AuditResult passes(RunHistory history, long steps) {
        AuditResult result = history.audit();
        assertTrue(result.passed(), () -> result.verdict() + " " + result.findings());
        assertEquals(steps * BATCH, result.positions());
        assertEquals(List.of(), result.findings());
        assertEquals("passed: each of the " + steps * BATCH + " positions was used exactly once", result.verdict());
        return result;
    }

    private static Finding onlyFinding(AuditResult result) {
        assertFalse(result.passed());
        assertEquals(1, result.findings().size(), result.findings()::toString);
        return result.findings().get(0);
    }

    @Test
    void anUndisturbedRunPasses() {
        AuditResult result =
                passes(history().form(0, "a", "b").steps(0, 10).checkpoint(10).end(10, "completed"), 10);
        assertEquals(0, result.redone());
        assertEquals(0, result.afterCheckpoint());
        assertEquals("completed", result.outcome());
        assertEquals(List.of(new AuditResult.Generation(1, 0, 10, List.of("a", "b"), "")), result.generations());
    }

    @Test
    void aLeaseThatItsRankNeverWroteIsMissing() {
        RunHistory history = history().form(0, "a", "b").steps(0, 10).end(10, "completed");
        history.without(event -> event instanceof Event.Lease lease && lease.step() == 4 && lease.microBatch() == 3);
        AuditResult result = history.audit();
        assertEquals(4, result.missing());
        assertEquals(new Finding(Kind.MISSING, 1, 4, 5, 4, "no lease of micro-batch 3"), onlyFinding(result));
        assertEquals("failed: 4 positions are missing", result.verdict());
    }

    @Test
    void aMicroBatchOfTwoRanksIsDuplicated() {
        RunHistory history =
                history().form(0, "a", "b").steps(0, 4).lease(1, 4, 1).steps(4, 6);
        Finding finding = onlyFinding(history.audit());
        assertEquals(Kind.DUPLICATED, finding.kind());
        assertEquals(
                "4 positions of step 4, generation 1: micro-batch 1 leased more than once or beside the plan",
                finding.text());
    }

    @Test
    void positionsOfAnotherStepAreDuplicatedAndItsOwnMissing() {
        RunHistory history = history().form(0, "a").steps(0, 3);
        history.without(event -> event instanceof Event.Lease lease && lease.step() == 1 && lease.microBatch() == 2);
        history.add(new Event.Lease(1, "a", 0, 1, 1, 2, 8, 4));
        AuditResult result = history.audit();
        assertEquals(4, result.duplicated());
        assertEquals(4, result.missing());
    }

    @Test
    void workThatIsDoneAgainAfterADeathIsCountedApart() {
        RunHistory history = history().form(0, "a", "b").steps(0, 5).lease(0, 5).lease(1, 5, 2);
        history.add(new Event.Membership(1, "main", "b", "down", 1, 2, "connection lost"));
        history.form(5, "a").steps(5, 8).end(8, "completed");
        AuditResult result = passes(history, 8);
        assertEquals(12, result.redone());
        assertEquals(
                List.of(
                        new AuditResult.Generation(1, 0, 5, List.of("a", "b"), ""),
                        new AuditResult.Generation(2, 5, 8, List.of("a"), "b is down: connection lost")),
                result.generations());
    }

    @Test
    void aStepThatALivingRankHasAppliedStandsWithoutTheOthersCommits() {
        RunHistory history = history().form(0, "a", "b", "c").steps(0, 5);
        history.lease(0, 5).lease(1, 5).lease(2, 5).commit(0, 5);
        assertEquals(0, passes(history.form(6, "a", "b").steps(6, 8), 8).redone());
    }

    @Test
    void anUpdateThatDiedWithItsRankIsDoneAgain() {
        RunHistory history = history().form(0, "a", "b").steps(0, 5);
        history.lease(0, 5).lease(1, 5).commit(0, 5);
        assertEquals(BATCH, passes(history.form(5, "b").steps(5, 8), 8).redone());
    }

    @Test
    void aRunResumedFromAnOlderCheckpointSupersedesWhatCameAfterIt() {
        RunHistory history = history()
                .form(0, "a", "b")
                .steps(0, 4)
                .checkpoint(4)
                .steps(4, 9)
                .lease(0, 9);
        history.start().form(4, "a").steps(4, 12);
        AuditResult result = passes(history, 12);
        assertEquals(5 * BATCH + BATCH / 2, result.redone());
        assertEquals(8, result.afterCheckpoint());
    }

    @Test
    void aGenerationThatFailedAtOnceOwnsNothing() {
        passes(history().form(0, "a", "b").steps(0, 4).form(4, "a").form(4, "b").steps(4, 6), 6);
    }

    @Test
    void aCheckpointOfADeadRankCarriesOnItsOwnGeneration() {
        RunHistory history = history().form(0, "a", "b").steps(0, 5);
        history.lease(0, 5).lease(1, 5).commit(0, 5).checkpoint(6);
        history.form(5, "b").lease(0, 5);
        history.start().form(6, "c").steps(6, 8);
        AuditResult result = passes(history, 8);
        assertEquals(BATCH, result.redone(), "what b did again in vain");
        assertEquals(6, result.generations().get(0).endStep());
        assertEquals(5, result.generations().get(1).endStep());
    }

    @Test
    void aHoleBetweenGenerationsIsMissing() {
        RunHistory history =
                history().form(0, "a", "b").steps(0, 5).form(7, "a", "b").steps(7, 9);
        Finding finding = onlyFinding(history.audit());
        assertEquals(new Finding(Kind.MISSING, 1, 5, 7, 2 * BATCH, "no record by any rank"), finding);
    }

    @Test
    void aStepThatNobodyCommittedIsMissing() {
        RunHistory history = history().form(0, "a", "b").steps(0, 9);
        history.without(event -> event instanceof Event.Commit commit && commit.step() == 6);
        assertEquals("no commit by any rank", onlyFinding(history.audit()).detail());
    }

    @Test
    void ranksThatCommittedDifferentSumsHaveDiverged() {
        RunHistory history = history().form(0, "a", "b").steps(0, 5);
        history.lease(0, 5).lease(1, 5).commit(0, 5).commit(1, 5, "f00d");
        AuditResult result = history.audit();
        assertEquals(1, result.diverged());
        assertEquals(
                "step 5, generation 1: ranks committed different sums",
                onlyFinding(result).text());
        assertEquals("failed: ranks diverged at 1 step", result.verdict());
    }

    @Test
    void aGenerationMustStandOnWhatWasCommittedAndItsRanksOnTheSame() {
        RunHistory history =
                history().form(0, "a", "b").steps(0, 5).form(5, "a", "b").steps(5, 7);
        history.events.replaceAll(event -> event instanceof Event.Formed formed && formed.generation() == 2
                ? new Event.Formed(
                        formed.timeMillis(),
                        formed.node(),
                        2,
                        formed.rank(),
                        2,
                        4,
                        formed.firstMicroBatch(),
                        formed.endMicroBatch(),
                        5,
                        "f00d")
                : event);
        assertEquals(
                "the next generation stands on another history than was committed",
                onlyFinding(history.audit()).detail());

        RunHistory torn = history().form(0, "a", "b").steps(0, 5);
        torn.add(torn.formed(1, 1, ""));
        assertEquals(Kind.DIVERGED, onlyFinding(torn.audit()).kind());
    }

    @Test
    void aMissingJournalLeavesWhatItHeldUnproved() {
        RunHistory history =
                history().form(0, "a", "b").steps(0, 6).form(6, "a").steps(6, 9).end(9, "completed");
        AuditResult result = history.withoutJournal("b").audit();
        assertEquals(0, result.missing());
        assertEquals(6 * BATCH / 2, result.unprovable());
        assertEquals(
                "48 positions of steps 0 to 5, generation 1: no lease of micro-batches 2-3; rank 1 left no journal",
                onlyFinding(result).text());
        assertEquals("not proved: 48 positions cannot be proved any more", result.verdict());
        assertEquals(List.of("a", "?"), result.generations().get(0).nodes());
    }

    @Test
    void whatTheOthersJournalsTellNeedsNoCommitOfTheMissingOne() {
        RunHistory history = history().form(0, "a", "b").steps(0, 6);
        passes(
                history.without(
                        event -> event instanceof Event.Commit && event.node().equals("b")),
                6);
    }

    @Test
    void theOnlyCommitMayHaveBeenInAMissingJournal() {
        RunHistory history = history()
                .form(0, "a", "b")
                .lease(0, 0)
                .lease(1, 0)
                .commit(0, 0)
                .form(1, "b")
                .steps(1, 3);
        AuditResult result = history.withoutJournal("a").audit();
        assertEquals(BATCH, result.unprovable());
        assertTrue(onlyFinding(result).detail().endsWith("rank 0 left no journal"), result.findings()::toString);
    }

    @Test
    void withoutAnyJournalOfARankTheStepsAreStillKnown() {
        RunHistory history = history().form(0, "a").steps(0, 5).end(5, "completed");
        history.add(new Event.Step(1, "main", 0, 1, 1, 0, 0, 1, 1, 1, BATCH, null, null));
        AuditResult result = history.withoutJournal("a").audit();
        assertEquals(5 * BATCH, result.unprovable());
        assertEquals(5, result.steps());
        assertEquals("no journal tells of them", onlyFinding(result).detail());
    }

    @Test
    void aJournalThatEndsEarlyOrIsDamagedIsNoProofOfAbsence() {
        RunHistory history = history().form(0, "a", "b").steps(0, 6);
        history.without(event -> event.node().equals("b")
                && (event instanceof Event.Lease lease && lease.step() >= 4
                        || event instanceof Event.Commit commit && commit.step() >= 4));
        AuditResult torn = history.audit();
        assertEquals(2 * BATCH / 2, torn.unprovable());
        assertTrue(onlyFinding(torn).detail().endsWith("the journal of rank 1 (b) ends at step 3"));

        RunHistory holed = history().form(0, "a", "b").steps(0, 6);
        holed.without(event -> event instanceof Event.Lease lease && lease.step() == 2 && lease.rank() == 1);
        assertEquals(BATCH / 2, holed.audit().missing());
        Audit audit = new Audit();
        holed.events.forEach(audit::add);
        audit.damaged("b.damaged-1795909127879", "it was set aside");
        AuditResult result = audit.result();
        assertEquals(0, result.missing());
        assertEquals(BATCH / 2, result.unprovable());
        assertEquals(List.of("the journal b.damaged-1795909127879 is damaged: it was set aside"), result.notes());
    }

    @Test
    void aGenerationWithoutAnyJournalIsNoHole() {
        RunHistory history = history()
                .form(0, "a")
                .steps(0, 4)
                .form(4, "b")
                .steps(4, 6)
                .form(6, "a")
                .steps(6, 8);
        AuditResult result = history.withoutJournal("b").audit();
        assertEquals(0, result.missing());
        assertEquals(2 * BATCH, result.unprovable());
        assertTrue(onlyFinding(result).detail().endsWith("generation 2 left no journal"));
        assertEquals(List.of("no rank's journal tells of generation 2"), result.notes());
        assertEquals(2 * BATCH, history.withoutJournal("main").audit().unprovable());
    }

    @Test
    void aCheckpointTellsHowFarARunGotWhenJournalsDoNot() {
        RunHistory history = history().form(0, "a").steps(0, 4);
        Audit audit = new Audit();
        history.events.forEach(audit::add);
        audit.reached(6);
        AuditResult result = audit.result();
        assertEquals(6, result.steps());
        assertEquals(2 * BATCH, result.unprovable());
        assertEquals(6, result.checkpoint());
    }

    @Test
    void stepsUnderWayAreNotMissing() {
        RunHistory history = history()
                .form(0, "a", "b")
                .steps(0, 4)
                .checkpoint(3)
                .lease(0, 4)
                .lease(1, 4, 2);
        AuditResult result = passes(history, 4);
        assertEquals("", result.outcome());
        assertEquals(12, result.unfinished());
        assertEquals(1, result.afterCheckpoint());
    }

    @Test
    void aRunThatHasCommittedNothingProvesNothing() {
        AuditResult result = history().form(0, "a").lease(0, 0).audit();
        assertFalse(result.passed());
        assertTrue(result.verdict().startsWith("not proved: no step was committed"), result.verdict());
        assertFalse(new Audit().result().passed());
    }

    @Test
    void aRunThatBeganFromAnotherOneBeginsThere() {
        AuditResult result = new RunHistory(BATCH, MICRO_BATCHES)
                .start("runs/a/checkpoints/step-00000100")
                .form(100, "a", "b")
                .steps(100, 110)
                .audit();
        assertTrue(result.passed(), result.findings()::toString);
        assertEquals(100, result.firstStep());
        assertEquals(10, result.steps());

        AuditResult resumed = new RunHistory(BATCH, MICRO_BATCHES)
                .start()
                .form(100, "a", "b")
                .steps(100, 110)
                .audit();
        assertEquals(100 * BATCH, resumed.unprovable(), "its beginning has no journal");
    }

    @Test
    void journalsOfOlderProgramsAreAuditedAsTheyAre() {
        passes(old().form(0, "a", "b").steps(0, 6).end(6, "completed"), 6);
        RunHistory resumed = old().form(0, "a", "b").steps(0, 6).checkpoint(4).lease(0, 6);
        resumed.start().form(4, "a", "b", "c").steps(4, 9);
        assertEquals(2 * BATCH + BATCH / 2, passes(resumed, 9).redone());
        assertEquals(
                2 * BATCH + BATCH / 2, passes(resumed.withoutJournal("main"), 9).redone());

        RunHistory torn = old().form(0, "a", "b").steps(0, 6).end(6, "completed");
        AuditResult result = torn.withoutJournal("b").audit();
        assertEquals(0, result.missing());
        assertEquals(6 * BATCH / 2, result.unprovable());
    }

    @Test
    void theBatchSizeFollowsFromTwoLeasesWhenNobodySaysIt() {
        RunHistory history =
                new RunHistory(BATCH, MICRO_BATCHES).form(0, "a", "b").steps(0, 5);
        passes(history, 5);
    }

    @Test
    void quarantinedSamplesAreListedOnceHoweverOftenTheirStepWasRedone() {
        Event.BadSample bad = new Event.BadSample(1, "a", 2, "x.tar", 512, "k", 40, "zero bytes", "");
        RunHistory history = history()
                .form(0, "a")
                .steps(0, 3)
                .add(bad)
                .form(2, "b")
                .add(bad)
                .steps(2, 4);
        AuditResult result = passes(history, 4);
        assertEquals(1, result.quarantined());
        assertEquals(List.of(bad), result.quarantinedSamples());
    }

    @Test
    void recordsThatMakeNoSenseAreLeftOut() {
        RunHistory history = history().form(0, "a").steps(0, 3);
        history.add(new Event.Lease(1, "a", 0, 1, Long.MAX_VALUE, 0, 0, 1));
        history.add(new Event.Lease(1, "a", 0, 1, 1, Integer.MAX_VALUE, 0, 1));
        history.add(new Event.Commit(1, "a", -1, 1, 1, 0, 1, ""));
        assertEquals(
                List.of("3 records make no sense and were left out"),
                passes(history, 3).notes());
    }

    @Test
    void aJournalWhoseClockIsFarBehindFitsIn() {
        int steps = 6_000;
        RunHistory history = new RunHistory(64, 64).start().form(0, "a", "b").steps(0, steps);
        Audit audit = new Audit();
        history.events.stream().filter(event -> !event.node().equals("b")).forEach(audit::add);
        assertEquals(32L * steps, audit.result().unprovable());
        history.events.stream().filter(event -> event.node().equals("b")).forEach(audit::add);
        AuditResult result = audit.result();
        assertTrue(result.passed(), result.findings()::toString);
        assertEquals(64L * steps, result.positions());
    }

    @Test
    void longListsAreCutButCounted() {
        RunHistory history = history().form(0, "a").steps(0, 3_000);
        history.without(
                event -> event instanceof Event.Lease lease && lease.step() % 2 == 1 && lease.microBatch() == 1);
        AuditResult result = history.audit();
        assertEquals(1_500 * 4, result.missing());
        assertEquals(1_000, result.findings().size());
        assertEquals(
                LongStream.range(0, 1_000).map(i -> 2 * i + 1).boxed().toList(),
                result.findings().stream().map(Finding::firstStep).toList());
    }
}
