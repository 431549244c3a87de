package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Event.RunStarted.Experiment;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.science.Quantity;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.ScalingAnalysis;
import io.rasterflow.monitoring.science.ScalingSeries;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Paired
class ScalingAnalysisTest {

    private static final Experiment EXPERIMENT = new Experiment("pixels", "validation.tar", 2e6);

    @TempDir
    private Path run;

    private static double law(double parameters, double samples) {
        return 0.28 + Math.pow(5e3 / parameters, 0.5) + Math.pow(1.5e3 / samples, 0.7);
    }

    private static RunPoint point(long parameters, double samples, double noise) {
        double loss = law(parameters, samples) * (1 + noise);
        return new RunPoint(
                "p" + parameters + "-s" + (long) samples,
                "runs/p" + parameters + "-s" + (long) samples,
                parameters,
                20_000,
                100,
                100,
                samples,
                loss,
                5_000,
                "model",
                Map.of("attentive", 0.9 - 0.2 * loss + noise),
                new Experiment("pixels", "validation.tar", 6.0 * parameters));
    }

    private static List<RunPoint> grid(double noise) {
        SplittableRandom random = new SplittableRandom(4);
        List<RunPoint> runs = new ArrayList<>();
        for (double samples : new double[] {1e4, 4e4, 1.2e5, 4e5}) {
            for (long parameters : new long[] {30_000, 100_000, 300_000, 1_000_000, 3_000_000}) {
                runs.add(point(parameters, samples, noise * random.nextGaussian()));
            }
        }
        return runs;
    }

    @Test
    void aGridGivesLawsInEachQuantityAndInBoth() {
        ScalingAnalysis analysis = ScalingAnalysis.of(grid(0.002));
        assertEquals(
                List.of(
                        List.of(Quantity.PARAMETERS),
                        List.of(Quantity.SAMPLES),
                        List.of(Quantity.PARAMETERS, Quantity.SAMPLES),
                        List.of(Quantity.FLOPS)),
                analysis.series().stream().map(ScalingSeries::quantities).toList());
        ScalingSeries parameters = analysis.series().get(0);
        assertEquals("the runs of 400,000 samples", parameters.selection());
        assertEquals(5, parameters.runs().size());
        assertEquals(List.of(9_000_000.0), round(parameters.nextSizes()));
        ScalingSeries samples = analysis.series().get(1);
        assertEquals("the runs of 3,000,000 parameters", samples.selection());
        assertEquals(4, samples.runs().size());
        ScalingSeries both = analysis.series().get(2);
        assertEquals(20, both.runs().size());
        assertEquals(0.5, both.fit().orElseThrow().law().terms().get(0).exponent(), 0.03);
        assertEquals(0.7, both.fit().orElseThrow().law().terms().get(1).exponent(), 0.03);
        assertEquals(0.28, both.fit().orElseThrow().law().floor(), 0.01);
        assertEquals("", both.problem());
        assertTrue(both.next().interval().contains(law(9e6, 4e5 * 4e5 / 1.2e5)));
        assertEquals(4, both.heldOut().size(), "every run of the largest model");
        assertTrue(both.heldOut().stream()
                .allMatch(heldOut -> heldOut.run().parameters() == 3_000_000
                        && Math.abs(heldOut.relativeError()) < 0.02
                        && heldOut.within().isPresent()));
        assertTrue(analysis.correlations().get("attentive").pearson() < -0.99);
        assertEquals(List.of(), analysis.notes());
    }

    private static List<Double> round(List<Double> sizes) {
        return sizes.stream().map(size -> (double) Math.round(size)).toList();
    }

    @Test
    void theFrontierHoldsRunsThatNoCheaperRunIsAsGoodAs() {
        List<RunPoint> frontier = ScalingAnalysis.of(grid(0)).series().get(3).runs();
        assertTrue(frontier.size() >= 5 && frontier.size() < 20, frontier.size() + " runs");
        for (int i = 1; i < frontier.size(); i++) {
            assertTrue(frontier.get(i).flops() > frontier.get(i - 1).flops());
            assertTrue(frontier.get(i).loss() < frontier.get(i - 1).loss());
        }
    }

    @Test
    void aFewSizesOfOneModelGiveOneLawAndSayWhyThereIsNoOther() {
        ScalingAnalysis analysis =
                ScalingAnalysis.of(List.of(point(1_000, 1e4, 0), point(1_000, 1e5, 0), point(1_000, 1e6, 0)));
        ScalingSeries parameters = analysis.series().get(0);
        assertTrue(parameters.fit().isEmpty());
        assertTrue(parameters.problem().startsWith("needs 3"), parameters.problem());
        ScalingSeries samples = analysis.series().get(1);
        assertTrue(samples.fit().isPresent());
        assertTrue(samples.problem().contains("no intervals"), samples.problem());
        assertEquals(List.of(), samples.heldOut());
        assertTrue(analysis.series().get(2).problem().startsWith("needs 5 runs"));
    }

    @Test
    void aLossThatRisesIsDoubted() {
        List<RunPoint> runs = new ArrayList<>();
        for (long parameters : new long[] {1_000, 10_000, 100_000, 1_000_000}) {
            RunPoint point = point(parameters, 1e5, 0);
            runs.add(with(point, 0.3 + 1e-7 * parameters, 100));
        }
        ScalingSeries series = ScalingAnalysis.of(runs).series().get(0);
        assertTrue(series.problem().contains("does not fall"), series.problem());
    }

    private static RunPoint with(RunPoint run, double loss, long step) {
        return new RunPoint(
                run.name(),
                run.directory(),
                run.parameters(),
                run.trainImages(),
                step,
                run.steps(),
                run.samples(),
                loss,
                run.validationImages(),
                run.weights(),
                run.accuracies(),
                run.experiment());
    }

    @Test
    void runsThatDoNotCompareAreNamed() {
        List<RunPoint> runs = new ArrayList<>(grid(0));
        RunPoint other = runs.remove(7);
        runs.add(new RunPoint(
                "other",
                "runs/other",
                other.parameters(),
                other.trainImages(),
                100,
                100,
                other.samples(),
                other.loss(),
                5_000,
                "model",
                Map.of(),
                new Experiment("tokens", "validation.tar", 1)));
        String message = assertThrows(IllegalArgumentException.class, () -> ScalingAnalysis.of(runs))
                .getMessage();
        assertTrue(message.contains("runs/other") && message.contains("objective differ (pixels; tokens)"), message);
        assertEquals(1, message.lines().count());
        String few = assertThrows(IllegalArgumentException.class, () -> ScalingAnalysis.of(grid(0).subList(0, 2)))
                .getMessage();
        assertTrue(few.contains("at least 3 runs"), few);
    }

    @Test
    void aRunThatDiedCountsToItsLastValidation() throws IOException {
        try (Journal journal = Journal.open(run, "trainer-0")) {
            journal.append(start(0));
            journal.append(validation(1_000, 0, 2));
            journal.append(validation(2_000, 100, 0.8));
            journal.append(probe(2_001, 100, 0.7));
            journal.append(validation(3_000, 200, 0.6));
            journal.append(probe(3_001, 200, 0.75));
            // Resumed from step 100: what came after is done again, and this time it dies sooner.
            journal.append(start(100));
            journal.append(validation(4_000, 150, 0.65));
            journal.append(probe(4_001, 150, 0.74));
        }
        RunPoint point = RunPoint.read(run);
        assertEquals(150, point.step());
        assertEquals(150 * 64.0, point.samples());
        assertEquals(0.65, point.loss());
        assertEquals(Map.of("attentive", 0.74), point.accuracies());
        assertEquals(150 * 64.0 * 2e6, point.flops());
        assertFalse(point.complete());
        assertEquals(EXPERIMENT, point.experiment());
        List<RunPoint> runs = new ArrayList<>(List.of(point));
        for (long parameters : new long[] {10_000, 20_000, 30_000}) {
            RunPoint like = point(parameters, 1e5, 0);
            runs.add(with(like, like.loss(), 100));
        }
        assertTrue(
                ScalingAnalysis.of(runs).notes().get(0).contains("step 150 of 400"),
                ScalingAnalysis.of(runs).notes().toString());
    }

    @Test
    void aRunWithoutTrainedLossIsNoPoint() throws IOException {
        try (Journal journal = Journal.open(run, "trainer-0")) {
            journal.append(validation(500, 0, 2));
        }
        String none = assertThrows(IllegalArgumentException.class, () -> RunPoint.read(run))
                .getMessage();
        assertTrue(none.contains("no start"), none);
        try (Journal journal = Journal.open(run, "trainer-1")) {
            journal.append(start(0));
        }
        String untrained = assertThrows(IllegalArgumentException.class, () -> RunPoint.read(run))
                .getMessage();
        assertTrue(untrained.contains("no validation after step 0"), untrained);
        try (Journal journal = Journal.open(run, "trainer-1")) {
            journal.append(validation(900, 40, Double.NaN));
        }
        String diverged = assertThrows(IllegalArgumentException.class, () -> RunPoint.read(run))
                .getMessage();
        assertTrue(diverged.contains("NaN at step 40"), diverged);
    }

    private static Event start(long firstStep) {
        return new Event.RunStarted(
                10 * firstStep + 1,
                "trainer-0",
                "r",
                firstStep,
                400,
                64,
                5_000,
                1_000,
                1,
                "fp32",
                "",
                EXPERIMENT,
                null);
    }

    private static Event validation(long time, long step, double loss) {
        return new Event.Validation(time, "trainer-0", step, loss, 5_000, 1, "model");
    }

    private static Event probe(long time, long step, double accuracy) {
        return new Event.Probe(time, "trainer-0", step, "attentive", accuracy, Double.NaN, 100, 100, 1, "", 1);
    }
}
