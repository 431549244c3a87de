package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.science.ProbeCost;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What probes take from training, of events whose times are known. */
class ProbeCostTest {

    private static final int WARM_UP = 50;

    private final RunState state = new RunState();
    private long millis = 1_000_000;
    private long step;

    /** Steps of rank 0, one after the other; the other rank says the same and counts for nothing. */
    private void steps(int count, long each) {
        for (int i = 0; i < count; i++) {
            millis += each;
            for (int rank = 0; rank < 2; rank++) {
                Ledger ledger = new Ledger(0, 0, 0, each / 1e3, 0, 0);
                state.apply(new Event.Step(millis, "main", rank, 2, 1, step, 0, 0.5, 1, 1e-3, 64, ledger, Double.NaN));
            }
            step++;
        }
    }

    private void started() {
        state.apply(SampleRun.started(0));
        steps(WARM_UP, 900); // Slow by themselves.
    }

    /** A probe that has just ended. */
    private void probe(String kind, double seconds) {
        state.apply(new Event.Probe(
                millis,
                "main",
                step,
                kind,
                0.5,
                0.5,
                500,
                100,
                seconds,
                "",
                1,
                kind.equals("knn"),
                List.of(),
                0.75 * seconds));
    }

    private void usage(double machineCpu) {
        state.apply(new Event.Usage(millis, "main", machineCpu / 2, machineCpu, 4, -1, -1, -1, -1, -1, List.of()));
    }

    private ProbeCost cost() {
        return state.status().probeCost();
    }

    @Test
    void stepsDuringProbesAreSetAgainstThoseAroundThem() {
        started();
        assertEquals(ProbeCost.NONE, cost());
        for (long slow : new long[] {140, 160}) {
            usage(0.5);
            steps(40, 100);
            usage(0.5);
            // Two kinds on the weights of one checkpoint: 40 steps are during them.
            steps(30, slow);
            probe("attentive", 30 * slow / 1e3);
            steps(10, slow);
            probe("knn", 10 * slow / 1e3);
            usage(1);
            steps(40, 100);
        }
        ProbeCost cost = cost();
        assertEquals(4, cost.probes());
        assertEquals(12, cost.seconds(), 1e-9);
        assertEquals(9, cost.cpuSeconds(), 1e-9);
        assertEquals(2, cost.measured());
        assertEquals(0.1, cost.stepSeconds(), 1e-9);
        assertEquals(0.15, cost.stepSecondsDuring(), 1e-9);
        assertEquals(0.5, cost.slowdown().value(), 1e-9);
        // Student's t for one degree of freedom, 12.7062, times the standard error of 0.4 and 0.6.
        assertEquals(0.5 - 1.27062, cost.slowdown().interval().low(), 1e-5);
        assertEquals(0.5 + 1.27062, cost.slowdown().interval().high(), 1e-5);
        double all = WARM_UP * 0.9 + 160 * 0.1 + 80 * 0.15;
        assertEquals(80 * 0.05 / all, cost.lost().value(), 1e-9);
        assertEquals(4, cost.cores());
        assertEquals(2, cost.idleCores(), 1e-9);
        assertTrue(cost.spareCore());
        assertEquals(
                List.of(
                        "4 probes took 12.0 s, 9.0 s of processor time",
                        "there was a spare core for them: 2.0 of 4 idle while none was under way",
                        "a step took 0.150 s during them and 0.100 s shortly before and after, +50.0 % (95 %: -77.1 to 177.1)",
                        "training lost 5.5 % of its time to them (95 %: -8.4 to 19.4)"),
                cost.words());
        assertEquals(cost, state.summary().probeCost());
    }

    @Test
    void whatHasGrownSlowerByItselfIsNoCost() {
        started();
        for (int i = 1; i <= 5; i++) {
            // Every stretch is slower than the one before, also without a probe.
            steps(30, 100 * i);
            steps(30, 100 * i);
            probe("attentive", 3.0 * i);
            steps(30, 100 * i);
        }
        assertEquals(5, cost().measured());
        assertEquals(0, cost().slowdown().value(), 1e-9);
        assertEquals(0, cost().lost().interval().high(), 1e-9);
    }

    @Test
    void stepsOfOtherWorkAndOfTheEdgesAreInNeither() {
        started();
        steps(20, 100);
        state.apply(new Event.Checkpoint(millis, "main", step, "checkpoints/step", "ab", 1_000, 0.1));
        steps(20, 500);
        state.apply(new Event.Validation(millis, "main", step, 0.5, 100, 10, "model"));
        steps(1, 700); // The probe begins in the midst of it.
        millis -= 300;
        steps(20, 200);
        probe("attentive", 4);
        steps(20, 100);
        ProbeCost cost = cost();
        assertEquals(0.2, cost.stepSecondsDuring(), 1e-9);
        assertEquals(0.1, cost.stepSeconds(), 1e-9);
        assertEquals(1, cost.slowdown().value(), 1e-9);
        assertFalse(cost.slowdown().interval().known(), "of one checkpoint");
        assertTrue(
                cost.words().toString().contains("+100.0 % (from one checkpoint: no interval)"),
                cost.words().toString());
        assertTrue(Double.isNaN(cost.idleCores()), "no node told of its processors");
    }

    @Test
    void whatAUserProbesIsNoCostOfTheRunAndAShortRunSaysNothing() {
        started();
        steps(20, 100);
        state.apply(new Event.Probe(millis, Event.Probe.VERB, step, "linear", 0.5, 0.5, 500, 100, 1.5, "", 1));
        assertEquals(ProbeCost.NONE, cost());
        probe("attentive", 60);
        assertEquals(0, cost().measured());
        assertEquals(
                List.of(
                        "1 probe took 60.0 s, 45.0 s of processor time",
                        "too few steps fell into them to say what training lost"),
                cost().words());
    }

    @Test
    void aLongRunIsMeasuredInBoundedMemory() {
        started();
        for (int i = 0; i < 4; i++) {
            steps(15_000, 10);
            steps(1_000, 15);
            probe("attentive", 15);
            steps(15_000, 10);
        }
        assertEquals(4, cost().measured());
        assertEquals(0.5, cost().slowdown().value(), 1e-9);
        double all = WARM_UP * 0.9 + 4 * (30_000 * 0.010 + 1_000 * 0.015);
        assertEquals(4 * 1_000 * 0.005 / all, cost().lost().value(), 1e-9);
    }

    @Test
    void anotherStartIsMeasuredByItself() {
        started();
        steps(30, 100);
        steps(30, 150);
        probe("attentive", 4.5);
        steps(30, 100);
        millis += 3_600_000;
        state.apply(SampleRun.started(50));
        steps(WARM_UP, 900);
        steps(30, 100);
        steps(30, 130);
        probe("attentive", 3.9);
        steps(30, 100);
        assertEquals(2, cost().measured());
        assertEquals(0.4, cost().slowdown().value(), 1e-9);
    }
}
