package io.rasterflow.tests.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.membership.Pace;
import io.rasterflow.actors.plan.Cluster;
import io.rasterflow.actors.plan.Plan;
import io.rasterflow.actors.plan.Reliability;
import io.rasterflow.actors.plan.Workload;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Failures and the coordinator of simulated clusters. */
class PlanTest {

    private static final Cluster.Rank RANK = new Cluster.Rank(1e12, 1, 0, 0, 1, 1e30, 1e30);
    private static final Cluster.Link LINK = new Cluster.Link(1e10, 1e-5, 1e11, 1e10, 1e-6);
    private static final Plan.Effort EFFORT = new Plan.Effort(64, 2, 4000, 3);
    private static final double CHECKPOINT = 1800;
    private static final double RESTART = 300;

    private static Workload workload() {
        return new Workload(10_000_000, 1e9, 4096, 256, List.of(10_000_000), 4);
    }

    private static Reliability reliability(double hours, int messageBytes) {
        return new Reliability(
                hours,
                0.1,
                600,
                new Reliability.Repair(0.005, 2.5, 20_000, 50e6, messageBytes, 5e-4, Pace.ANNOUNCE_MILLIS / 1e3),
                new Reliability.Restart(CHECKPOINT, 600, RESTART));
    }

    private static Plan plan(int ranks, int ranksPerHost, double hours) {
        return Plan.of(workload(), new Cluster(ranks, ranksPerHost, RANK, LINK), reliability(hours, 0), EFFORT);
    }

    @Test
    void aRestartCostsItsDelayAndHalfACheckpointInterval() {
        Plan plan = plan(64, 8, 5000);
        assertEquals(CHECKPOINT / 2 + 600 + RESTART, plan.restarted().lostSecondsPerFailure(), 30);
        assertEquals(CHECKPOINT / 2 + RESTART, plan.restartedAtOnce().lostSecondsPerFailure(), 30);
    }

    @Test
    void aRepairCostsTheRepairAndTheTimeWithFewerRanks() {
        Plan plan = plan(64, 8, 5000);
        // 256 micro-batches on 56 ranks: 5 instead of 4 for the slowest, for ten minutes less the repair.
        double slower = plan.step().stepSeconds() + plan.step().slowestSeconds() / 4;
        double away = 600 * (1 - plan.step().stepSeconds() / slower);
        double once = 0.9 * plan.repairSeconds(false) + 0.1 * plan.repairSeconds(true);
        assertTrue(plan.repairSeconds(false) < 0.2, "" + plan.repairSeconds(false));
        assertEquals(
                away + once + plan.transferSeconds() + plan.coordinator().joinSeconds(),
                plan.repaired().lostSecondsPerFailure(),
                0.05 * away);
    }

    @Test
    void moreFailuresLeaveLessAndRepairsLeaveMoreThanRestarts() {
        Plan plan = plan(64, 8, 5000);
        double before = 0;
        for (double hours : List.of(10.0, 30.0, 100.0, 1000.0, 10_000.0)) {
            Plan at = plan.withMtbf(hours, EFFORT);
            assertTrue(at.repaired().fraction() > before);
            assertTrue(at.repaired().fraction() <= 1);
            assertTrue(at.repaired().fraction() > at.restartedAtOnce().fraction());
            assertTrue(at.restartedAtOnce().fraction() > at.restarted().fraction());
            before = at.repaired().fraction();
        }
    }

    @Test
    void aWorldOfOneHostRestartsToo() {
        Plan plan = plan(8, 8, 1000);
        assertEquals(CHECKPOINT / 2 + 600 + RESTART, plan.repaired().lostSecondsPerFailure(), 30);
    }

    @Test
    void theCoordinatorHearsEveryTrainerAsOftenAsItAnnouncesItself() {
        Plan plan = plan(64, 8, 1000);
        assertEquals(64 * 1000 / Pace.ANNOUNCE_MILLIS, plan.coordinator().messagesPerSecond());
        assertTrue(plan.coordinator().keepsUp());
        // A finding, a stop, a place and its preparation for each of the 56 that are left, and the beginning of most.
        assertTrue(
                plan.coordinator().reformMessages() >= 4 * 56,
                plan.coordinator().toString());
        assertTrue(
                plan.coordinator().reformMessages() <= 6 * 56,
                plan.coordinator().toString());
    }

    @Test
    void aCoordinatorThatIsTooSlowIsSaidToBe() {
        Plan plan = Plan.of(workload(), new Cluster(64, 8, RANK, LINK), reliability(1000, 2_000_000), EFFORT);
        assertFalse(plan.coordinator().keepsUp());
        assertEquals(0, plan.repaired().fraction());
        Workload wide = new Workload(10_000_000, 1e9, 4096, 4096, List.of(10_000_000), 4);
        Plan large = Plan.of(wide, new Cluster(4096, 8, RANK, LINK), reliability(1000, 0), EFFORT);
        assertTrue(large.coordinator().keepsUp(), large.coordinator().toString());
        assertTrue(large.coordinator().busyFraction() < 0.6, large.coordinator().toString());
    }

    @Test
    void theSameQuestionHasTheSameAnswer() {
        assertEquals(plan(32, 4, 500), plan(32, 4, 500));
    }
}
