package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.alarm.AlarmKind;
import io.rasterflow.monitoring.alarm.Alarms;
import io.rasterflow.monitoring.alarm.Straggler;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Each alarm on a series that should raise it and on ones that should not, with the thresholds of the defaults. */
class AlarmsTest {

    private static final long STEPS = 100_000;

    private final WatchedRun run = new WatchedRun(7).start(0, STEPS);

    private static UnaryOperator<WatchedRun.Shown> loss(double value) {
        return shown -> shown.loss(value);
    }

    @Test
    void aSpikeIsRaisedAtItsStepAndOverWhenTheLossIsCalm() {
        run.steps(400).steps(1, loss(0.56));
        assertEquals(List.of(true), run.of(AlarmKind.LOSS_SPIKE));
        Event.Alarm spike = run.last();
        assertEquals(400, spike.step());
        assertEquals(0.56, spike.value());
        assertEquals(0.54, spike.threshold(), 0.01);
        assertTrue(
                spike.text()
                        .matches("the loss of step 400 is 0\\.5600, 1\\d robust standard deviations above the median"
                                + " 0\\.[45]\\d+ of the 101 steps before it \\(an alarm from 0\\.5\\d+ on\\)"),
                spike.text());
        assertTrue(spike.advice().contains("train.learningRate"), spike.advice());
        run.steps(9);
        assertEquals(1, run.said.size(), "not yet calm");
        run.steps(5);
        assertEquals(List.of(true, false), run.of(AlarmKind.LOSS_SPIKE));
        run.steps(300);
        assertEquals(2, run.said.size(), run.said.toString());
    }

    @Test
    void manySpikesDoNotHideOneAndAFallIsNone() {
        run.steps(400);
        for (int i = 0; i < 20; i++) {
            run.steps(3).steps(1, loss(3));
        }
        assertEquals(List.of(true), run.of(AlarmKind.LOSS_SPIKE), "one that stands");
        run.steps(30).steps(1, loss(0.6)).steps(120);
        assertEquals(List.of(true, false, true, false), run.of(AlarmKind.LOSS_SPIKE));
        run.steps(1, loss(0.525));
        assertEquals(4, run.of(AlarmKind.LOSS_SPIKE).size(), "five deviations are noise");
        run.steps(60, loss(0.2));
        assertEquals(4, run.of(AlarmKind.LOSS_SPIKE).size(), "a fall is good news");
    }

    @Test
    void theWarmUpIsNotJudged() {
        run.steps(100).steps(1, loss(9)).steps(60, loss(0.01)).steps(39, shown -> shown.gradientNorm(0));
        assertEquals(List.of(), run.said);
        run.steps(200).steps(1, loss(9));
        assertEquals(List.of(true), run.of(AlarmKind.LOSS_SPIKE));
        run.start(301, STEPS);
        assertFalse(run.last().raised(), "a start begins from nothing");
        int before = run.said.size();
        run.steps(100).steps(1, loss(9));
        assertEquals(before, run.said.size());
    }

    @Test
    void aRiseThatLastsDiverges() {
        run.steps(500);
        for (int i = 0; i < 300; i++) {
            run.steps(1, loss(0.5 + 0.001 * i));
        }
        assertEquals(List.of(true), run.of(AlarmKind.DIVERGENCE));
        Event.Alarm alarm = run.last();
        assertTrue(alarm.text().contains("above the best so far, 0."), alarm.text());
        run.steps(200, loss(0.68));
        assertEquals(List.of(true), run.of(AlarmKind.DIVERGENCE), "between the two thresholds nothing changes");
        run.steps(60);
        assertEquals(List.of(true, false), run.of(AlarmKind.DIVERGENCE));
    }

    @Test
    void aFewBadStepsDoNotDivergeAndALossThatIsNoNumberDoes() {
        run.steps(500).steps(20, loss(5)).steps(100);
        assertEquals(List.of(), run.of(AlarmKind.DIVERGENCE));
        run.steps(1, loss(Double.NaN));
        assertEquals(List.of(true), run.of(AlarmKind.DIVERGENCE));
        assertEquals(
                "the loss of step 620 is NaN, which is no number", run.last().text());
        run.steps(50);
        assertEquals(List.of(true), run.of(AlarmKind.DIVERGENCE));
        run.steps(10);
        assertEquals(List.of(true, false), run.of(AlarmKind.DIVERGENCE));
    }

    @Test
    void aPlateauIsALossThatNoLongerFallsWhileTheRateIsHigh() {
        WatchedRun shorter = new WatchedRun(7).start(0, 20_000);
        falling(shorter, 2_500, 1.2, 1);
        assertEquals(List.of(), shorter.said);
        shorter.steps(2_500);
        assertEquals(List.of(true), shorter.of(AlarmKind.PLATEAU));
        assertTrue(
                shorter.last().text().startsWith("the loss has not fallen over the last 2000 steps: 0.5"),
                shorter.last().text());
        falling(shorter, 1_500, 1, 0.8);
        assertEquals(List.of(true, false), shorter.of(AlarmKind.PLATEAU));
        shorter.steps(3_000);
        shorter.steps(50, shown -> shown.learningRate(4e-4));
        assertEquals(List.of(true, false, true, false), shorter.of(AlarmKind.PLATEAU), "the schedule has its way");
        shorter.steps(4_000, shown -> shown.learningRate(1e-4));
        assertEquals(4, shorter.of(AlarmKind.PLATEAU).size());
    }

    /** The loss goes from a multiple of 0.5 to another. */
    private static void falling(WatchedRun run, int steps, double from, double to) {
        for (int i = 0; i < steps; i++) {
            double times = from + (to - from) * i / steps;
            run.steps(1, shown -> shown.loss(times * shown.loss()));
        }
    }

    @Test
    void aNoisyLossThatFallsSlowlyIsNoPlateau() {
        WatchedRun shorter = new WatchedRun(7).start(0, 20_000);
        Random noise = new Random(3);
        for (int i = 0; i < 10_000; i++) {
            shorter.steps(1, loss(0.5 * Math.exp(0.1 * noise.nextGaussian() - 5e-6 * i)));
        }
        assertEquals(List.of(), shorter.of(AlarmKind.PLATEAU));
    }

    @Test
    void overFittingIsAValidationThatRisesAlone() {
        double[] validations = {0.9, 0.5, 0.45, 0.47};
        double training = 0.6;
        for (double validation : validations) {
            double now = training -= 0.05;
            run.steps(300, loss(now)).validation(validation);
        }
        assertEquals(List.of(), run.of(AlarmKind.OVER_FIT), "once is not enough");
        run.steps(300, loss(0.35)).validation(0.48);
        assertEquals(List.of(true), run.of(AlarmKind.OVER_FIT));
        assertTrue(
                run.last()
                        .text()
                        .startsWith("the validation loss of step 1500 is 0.4800, 6.7 % above its best, 0.4500"),
                run.last().text());
        run.steps(10).validation(0.457);
        assertEquals(List.of(true), run.of(AlarmKind.OVER_FIT));
        run.steps(10).validation(0.452);
        assertEquals(List.of(true, false), run.of(AlarmKind.OVER_FIT));
    }

    @Test
    void whereBothLossesRiseItIsNotOverFitting() {
        run.steps(300, loss(0.4)).validation(0.4);
        for (int i = 1; i < 5; i++) {
            double rise = 0.05 * i;
            run.steps(300, loss(0.4 + rise)).validation(0.4 + rise);
        }
        run.steps(300, loss(0.3)).validation(0.403);
        run.steps(300, loss(0.3)).validation(0.406);
        assertEquals(List.of(), run.of(AlarmKind.OVER_FIT));
    }

    @Test
    void gradientsThatVanishAreDead() {
        run.steps(500).steps(300, shown -> shown.gradientNorm(0.01)).steps(100);
        assertEquals(List.of(), run.said, "smaller is not dead");
        run.steps(60, shown -> shown.gradientNorm(1e-4));
        assertEquals(List.of(true), run.of(AlarmKind.DEAD_GRADIENTS));
        run.steps(60, shown -> shown.gradientNorm(3e-3));
        assertEquals(List.of(true), run.of(AlarmKind.DEAD_GRADIENTS), "not yet alive");
        run.steps(60);
        assertEquals(List.of(true, false), run.of(AlarmKind.DEAD_GRADIENTS));
        WatchedRun fromTheBeginning = new WatchedRun(1).start(0, STEPS).steps(230, shown -> shown.gradientNorm(0));
        assertEquals(List.of(true), fromTheBeginning.of(AlarmKind.DEAD_GRADIENTS));
    }

    @Test
    void aRankThatWaitsForImagesStalls() {
        UnaryOperator<WatchedRun.Shown> stalled =
                shown -> shown.rank() == 1 ? shown.ledger(new Ledger(1, 0.5, 0, 0.5, 0.1, 0.1)) : shown;
        run.steps(300);
        for (int i = 0; i < 100; i++) {
            run.steps(3).steps(1, stalled);
        }
        assertEquals(List.of(), run.said, "a late batch now and then");
        run.steps(60, stalled);
        Event.Alarm alarm = run.said.get(0);
        assertEquals(List.of("data-stall", "rank 1"), List.of(alarm.alarm(), alarm.subject()));
        assertTrue(
                alarm.text().startsWith("rank 1 (trainer-1) waits for images during 68 % of its steps"), alarm.text());
        run.generation++;
        run.steps(1, stalled);
        assertEquals(List.of(true, false), run.of(AlarmKind.DATA_STALL));
        run.steps(60, stalled).steps(60);
        assertEquals(List.of(true, false, true, false), run.of(AlarmKind.DATA_STALL));
    }

    @Test
    void aRunThatDoesNothingIsSilent() {
        run.idle(3_600);
        assertEquals(List.of(), run.said, "it has not begun");
        run.steps(30).idle(599);
        assertEquals(List.of(), run.said);
        run.validation(0.5).idle(599);
        assertEquals(List.of(), run.said, "a validation takes its time");
        run.idle(5).idle(100);
        assertEquals(List.of(true), run.of(AlarmKind.SILENCE));
        assertTrue(
                run.last().text().contains("for 604 s (an alarm after 600 s)"),
                run.last().text());
        run.steps(1);
        assertEquals(List.of(true, false), run.of(AlarmKind.SILENCE));
        run.add(SampleRun.action("pause", "", Event.Action.DONE)).idle(3_600);
        assertEquals(List.of(true, false), run.of(AlarmKind.SILENCE), "a pause is no silence");
        run.add(SampleRun.action("resume", "", Event.Action.DONE)).idle(601);
        assertEquals(List.of(true, false, true), run.of(AlarmKind.SILENCE));
        WatchedRun done = new WatchedRun(1).start(0, 30).steps(30).idle(3_600);
        assertEquals(List.of(), done.said, "what comes after the last step may take its time");
    }

    @Test
    void stragglersComeAndGo() {
        run.steps(10);
        run.hear(run.alarms.stragglers(List.of(new Straggler(3, "node-d", 1.6, "compute")), run.now));
        run.hear(run.alarms.stragglers(List.of(new Straggler(3, "node-d", 1.15, "compute")), run.now));
        assertEquals(1, run.said.size());
        assertEquals(
                "rank 3 (node-d) takes 1.6 times as long per micro-batch as the others, which wait for it; the difference is"
                        + " in compute (an alarm from 1.2 on)",
                run.last().text());
        run.hear(run.alarms.stragglers(List.of(), run.now));
        assertEquals(List.of(true, false), run.of(AlarmKind.STRAGGLER));
    }

    private void disk(double gigabytes) {
        run.add(new Event.Disk(run.now, "trainer-1", "runs/x", (long) (gigabytes * 1e9), 500_000_000_000L));
    }

    @Test
    void aDiskIsFullWhenCheckpointsNoLongerFit() {
        disk(2.1);
        assertEquals(List.of(), run.said);
        disk(1.9);
        assertEquals("trainer-1", run.last().subject());
        assertEquals(
                "trainer-1 has 1.9 GB of 500 GB free in runs/x, less than the 2.0 GB that checkpoints and journals need",
                run.last().text());
        disk(2.3);
        assertEquals(1, run.said.size());
        disk(2.5);
        assertEquals(List.of(true, false), run.of(AlarmKind.DISK));
        run.add(new Event.Checkpoint(run.now, "trainer-0", 0, "d", "", 3_000_000_000L, 1));
        disk(8.9);
        assertEquals(List.of(true, false, true), run.of(AlarmKind.DISK));
    }

    @Test
    void aFullDiskIsFullWhenTheRunStarts() {
        disk(1);
        run.start(0, STEPS);
        assertEquals(List.of(true), run.of(AlarmKind.DISK), "seen a moment ago");
        Alarms next = new Alarms(WatchedRun.config(), "main");
        run.journal.forEach(next::replay);
        List<Event.Alarm> news = next.add(run.journal.get(0), run.now);
        assertEquals(List.of(false), news.stream().map(Event.Alarm::raised).toList(), "perhaps of a node that is gone");
    }

    /** Events of a node for a minute and a half, one a second, whose way takes up to 8 seconds. */
    private void clock(double aheadSeconds) {
        Random way = new Random(5);
        for (int second = 0; second < 90; second++) {
            run.now += 1_000;
            long sent = run.now - way.nextInt(8_000) + Math.round(1000 * aheadSeconds);
            run.add(new Event.Input(sent, "trainer-1", List.of(), List.of()));
        }
    }

    @Test
    void aClockThatIsWrongIsToldFromAMessageThatIsLate() {
        clock(0);
        assertEquals(List.of(), run.said);
        clock(9);
        assertEquals(List.of(true), run.of(AlarmKind.CLOCK_SKEW));
        assertTrue(
                run.last()
                        .text()
                        .matches("the clock of trainer-1 is [5-9]\\.\\d s ahead of that of the monitor's node.*"),
                run.last().text());
        clock(0);
        clock(-9);
        assertEquals(List.of(true, false, true), run.of(AlarmKind.CLOCK_SKEW));
        assertTrue(run.last().text().contains(" behind that of"), run.last().text());
    }

    @Test
    void fewerImagesPerSecondThanUsualAreAnAlarm() {
        UnaryOperator<WatchedRun.Shown> slow = shown -> shown.ledger(new Ledger(0.02, 0.05, 0.01, 1.2, 0.1, 0.05));
        run.steps(600);
        for (int i = 0; i < 100; i++) {
            run.steps(2).steps(1, slow);
        }
        assertEquals(List.of(), run.said, "slow steps now and then");
        run.steps(200, slow);
        assertEquals(List.of(true), run.of(AlarmKind.THROUGHPUT));
        assertTrue(run.last().text().contains("fewer than usual, "), run.last().text());
        run.steps(10_000, slow);
        assertEquals(List.of(true), run.of(AlarmKind.THROUGHPUT), "a slow pace does not become the usual one");
        run.steps(120);
        assertEquals(List.of(true, false), run.of(AlarmKind.THROUGHPUT));
        run.generation++;
        run.steps(600, slow);
        assertEquals(2, run.of(AlarmKind.THROUGHPUT).size(), "other ranks, another pace");
    }

    @Test
    void aRunThatFailsIsAnAlarmAndOneThatIsStoppedIsNot() {
        run.steps(3).add(new Event.RunEnded(run.now, "main", 3, "stopped", ""));
        assertEquals(List.of(), run.said);
        run.add(new Event.RunEnded(run.now, "main", 3, "failed", "the loss of step 3 is NaN"));
        assertEquals(
                "the run has failed at step 3: the loss of step 3 is NaN",
                run.last().text());
        run.start(0, STEPS);
        assertEquals(List.of(true, false), run.of(AlarmKind.RUN_FAILED));
    }

    @Test
    void stepsDoneAgainCountOnce() {
        run.steps(400);
        for (int i = 0; i < 10; i++) {
            run.generation++;
            run.step -= 5;
            run.steps(5, loss(9));
        }
        assertEquals(List.of(), run.of(AlarmKind.LOSS_SPIKE));
    }

    @Test
    void whatIsOffIsNotRaised() {
        WatchedRun some = new WatchedRun(7, "monitor.alarms.off=[loss-spike]").start(0, STEPS);
        some.steps(400).steps(1, loss(9)).add(new Event.RunEnded(some.now, "main", 401, "failed", ""));
        assertEquals(
                List.of("run-failed"),
                some.said.stream().map(Event.Alarm::alarm).toList());
        WatchedRun none = new WatchedRun(7, "monitor.alarms.enabled=false").start(0, STEPS);
        none.steps(400).steps(1, loss(9)).add(new Event.RunEnded(none.now, "main", 401, "failed", ""));
        none.hear(none.alarms.stragglers(List.of(new Straggler(0, "n", 3, "compute")), none.now));
        assertEquals(List.of(), none.said);
    }

    @Test
    void everyAlarmSaysWhatToTry() {
        for (AlarmKind kind : AlarmKind.values()) {
            assertEquals(kind, AlarmKind.of(kind.id()).orElseThrow());
            assertTrue(kind.advice().length() > 20, kind.id());
        }
    }
}
