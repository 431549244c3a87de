package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.run.Experiments;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.config.RunConfig;
import io.rasterflow.model.optimizer.Schedule;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Event.RunStarted.Rates;
import io.rasterflow.monitoring.science.Forecaster;
import io.rasterflow.monitoring.science.LossForecast;
import io.rasterflow.monitoring.science.Prediction;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.LongToDoubleFunction;
import org.junit.jupiter.api.Test;

class ForecasterTest {

    private static final int STEPS = 2_400;
    private static final double NOISE = 0.027;

    private static RunPlan plan(String... overrides) {
        return RunConfig.load("", List.of(overrides)).config().plan(Path.of("run"), false);
    }

    private static Event.RunStarted started(long firstStep, Rates rates) {
        return new Event.RunStarted(0, "n", "run", firstStep, STEPS, 64, 1, 20_000, 2, "fp32", "", null, null, rates);
    }

    /** A law with known constants: what the schedule lets it be at every step, without noise. */
    private static double[] law(Schedule schedule) {
        double[] losses = new double[STEPS + 1];
        double sum = 0;
        double lagged = schedule.peak();
        for (int step = 0; step <= STEPS; step++) {
            double rate = schedule.at(step);
            sum += rate / schedule.peak();
            lagged += step < schedule.warmupSteps() ? 0 : (rate - lagged) / (0.02 * STEPS);
            losses[step] = 0.33 + 1.9 * Math.pow(sum, -0.5) + 0.06 * lagged / schedule.peak();
        }
        return losses;
    }

    private static double[] noisy(double[] losses, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return Arrays.stream(losses)
                .map(loss -> loss + NOISE * random.nextGaussian())
                .toArray();
    }

    private static Forecaster upTo(
            long end, Rates rates, LongToDoubleFunction loss, TreeMap<Long, Double> validations) {
        Forecaster forecaster = new Forecaster();
        forecaster.start(started(0, rates));
        for (long step = 0; step < end; step++) {
            forecaster.step(step, loss.applyAsDouble(step));
        }
        validations.headMap(end, true).forEach(forecaster::validation);
        return forecaster;
    }

    @Test
    void theEndOfALawIsForetoldAsOftenAsTheIntervalSays() {
        RunPlan plan = plan();
        Schedule schedule = plan.train().rates();
        double[] law = law(schedule);
        int told = 0;
        int inside = 0;
        for (int seed = 0; seed < 60; seed++) {
            double[] losses = noisy(law, seed);
            SplittableRandom random = new SplittableRandom(-seed);
            TreeMap<Long, Double> validations = new TreeMap<>();
            for (long step = 0; step <= STEPS; step += 200) {
                validations.put(step, 0.02 + 0.9 * law[(int) step] + 0.001 * random.nextGaussian());
            }
            LossForecast forecast = upTo(
                            1_500, Experiments.learningRates(plan), step -> losses[(int) step], validations)
                    .forecast();
            double train = Arrays.stream(losses, STEPS - 50, STEPS).average().orElseThrow();
            for (Prediction of : List.of(forecast.trainLoss(), forecast.validationLoss())) {
                if (of.interval().known()) {
                    double truth = of.equals(forecast.trainLoss()) ? train : validations.get((long) STEPS);
                    told++;
                    inside += of.interval().contains(truth) ? 1 : 0;
                    assertEquals(truth, of.value(), 0.04);
                }
            }
        }
        assertTrue(told > 110, "of 120, the law that holds was refused " + (120 - told) + " times");
        assertTrue(inside >= 0.9 * told, inside + " of " + told + " lie in their 95 % interval");
    }

    @Test
    void aRecordedRunIsForetoldBetterThanByItsLastLoss() throws IOException {
        List<Double> losses;
        try (InputStream recorded = getClass().getResourceAsStream("/monitoring/default-run-losses.txt")) {
            assertNotNull(recorded);
            losses = new String(recorded.readAllBytes(), StandardCharsets.US_ASCII)
                    .lines()
                    .map(Double::valueOf)
                    .toList();
        }
        TreeMap<Long, Double> validations = new TreeMap<>();
        double[] every150 = {
            2.1610, 0.5313, 0.4580, 0.4457, 0.4256, 0.4163, 0.4040, 0.3976, 0.3961, 0.3884, 0.3781, 0.3746, 0.3714,
            0.3699, 0.3662, 0.3661, 0.3658
        };
        for (int i = 0; i < every150.length; i++) {
            validations.put(150L * i, every150[i]);
        }
        double train = mean(losses, STEPS);
        for (int end : List.of(1_200, 1_440, 1_680)) {
            LossForecast forecast = upTo(
                            end, Experiments.learningRates(plan()), step -> losses.get((int) step), validations)
                    .forecast();
            assertEquals("", forecast.reason());
            closer(train, forecast.trainLoss(), mean(losses, end));
            closer(
                    0.3658,
                    forecast.validationLoss(),
                    validations.floorEntry((long) end).getValue());
        }
    }

    private static double mean(List<Double> losses, int end) {
        return losses.subList(end - 50, end).stream()
                .mapToDouble(Double::doubleValue)
                .average()
                .orElseThrow();
    }

    private static void closer(double truth, Prediction forecast, double last) {
        assertTrue(forecast.interval().contains(truth), truth + " is not in " + forecast);
        assertTrue(
                Math.abs(forecast.value() - truth) < 0.7 * Math.abs(last - truth),
                forecast + " is no better than the last, " + last + ", of " + truth);
    }

    @Test
    void whatCannotBeToldIsSaid() {
        RunPlan plan = plan("train.schedule=constant", "train.cooldownSteps=600");
        Rates rates = Experiments.learningRates(plan);
        double[] law = noisy(law(plan.train().rates()), 1);
        TreeMap<Long, Double> none = new TreeMap<>();
        LongToDoubleFunction wave = step -> law[(int) step];
        assertEquals("no step yet", new Forecaster().forecast().reason());
        refused("no schedule", upTo(1_500, Rates.UNKNOWN, wave, none));
        refused("too few steps", upTo(160, rates, wave, none));
        refused("done 0 % of its fall", upTo(1_500, rates, wave, none));
        refused("at its end", upTo(STEPS, rates, wave, none));
        refused(
                "does not follow the law",
                upTo(2_200, rates, step -> wave.applyAsDouble(step) + (step > 1_700 ? 0.2 : 0), none));
        LossForecast train = upTo(2_200, rates, wave, none).forecast();
        double end = Arrays.stream(law, STEPS - 50, STEPS).average().orElseThrow();
        assertTrue(train.trainLoss().interval().contains(end), end + " is not in " + train);
        assertEquals("the validation loss needs 3 validations after the warm-up, has 0", train.reason());
        assertFalse(train.validationLoss().interval().known());
    }

    private static void refused(String why, Forecaster forecaster) {
        LossForecast forecast = forecaster.forecast();
        assertTrue(forecast.reason().contains(why), forecast.toString());
        assertEquals(LossForecast.none(forecast.reason()), forecast);
    }

    @Test
    void aResumedRunForgetsWhatIsDoneAgain() {
        RunPlan plan = plan();
        Rates rates = Experiments.learningRates(plan);
        double[] law = law(plan.train().rates());
        LongToDoubleFunction wave = step -> law[(int) step] + 0.02 * Math.sin(17.0 * step);
        TreeMap<Long, Double> validations = new TreeMap<>();
        for (long step = 0; step <= STEPS; step += 300) {
            validations.put(step, 0.9 * law[(int) step]);
        }
        Forecaster resumed = upTo(1_200, rates, wave, validations);
        for (long step = 1_200; step < 1_350; step++) {
            resumed.step(step, 7);
        }
        resumed.validation(1_300, 9);
        resumed.start(started(1_200, rates));
        for (long step = 1_200; step < 1_600; step++) {
            resumed.step(step, wave.applyAsDouble(step));
        }
        resumed.validation(1_500, validations.get(1_500L));
        LossForecast whole = upTo(1_600, rates, wave, validations).forecast();
        assertTrue(whole.validationLoss().interval().known(), whole.toString());
        // The window in which it was resumed may be missing.
        assertEquals(whole.trainLoss().value(), resumed.forecast().trainLoss().value(), 2e-3);
        assertEquals(
                whole.validationLoss().value(),
                resumed.forecast().validationLoss().value(),
                2e-3);
    }

    @Test
    void theJournalledRatesAreThoseOfTheSchedule() {
        for (List<String> options : List.of(
                List.<String>of(),
                List.of("train.schedule=linear", "train.finalLearningRate=1e-4", "train.warmupSteps=0"),
                List.of("train.schedule=constant", "train.cooldownSteps=333"),
                List.of("train.steps=7", "train.warmupSteps=3"))) {
            RunPlan plan = plan(options.toArray(String[]::new));
            Schedule schedule = plan.train().rates();
            Rates rates = Experiments.learningRates(plan);
            for (long step = 0; step <= schedule.steps(); step++) {
                assertEquals(schedule.at(step), rates.at(step), 1e-3 * schedule.peak(), options + " at " + step);
            }
        }
        assertFalse(Rates.UNKNOWN.known());
    }
}
