package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.aim.Prefix;
import io.rasterflow.model.optimizer.Schedule;
import io.rasterflow.model.optimizer.Schedule.Cooldown;
import io.rasterflow.model.optimizer.Schedule.Kind;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    @Test
    void theRateWarmsUpLinearlyAndFallsAsACosine() {
        Schedule schedule = Schedule.cosine(2e-3, 10, 110);
        assertEquals(2e-4, schedule.at(0), 1e-15);
        assertEquals(2e-3, schedule.at(9), 1e-15);
        assertEquals(2e-3, schedule.at(10), 1e-15);
        assertEquals(1e-3, schedule.at(60), 1e-15);
        assertTrue(schedule.at(109) > 0);
        assertEquals(0, schedule.at(110));
        assertEquals(0, schedule.at(1_000_000));
        for (long step = 10; step < 110; step++) {
            assertTrue(schedule.at(step + 1) < schedule.at(step));
        }
    }

    /** Rates of recorded runs are compared for equality, so the formula may not change in its last bit. */
    @Test
    void theCosineKeepsItsBits() {
        Schedule schedule = Schedule.cosine(1.5e-3, 120, 2400);
        for (long step = 120; step < 2400; step++) {
            double progress = (double) (step - 120) / (2400 - 120);
            assertEquals(1.5e-3 * 0.5 * (1 + Math.cos(Math.PI * progress)), schedule.at(step), 0.0);
        }
    }

    @Test
    void aConstantRateCoolsDownOverItsLastSteps() {
        Schedule linear = new Schedule(Kind.CONSTANT, 1e-3, 1e-4, 5, 20, Cooldown.LINEAR, 100);
        assertEquals(2e-4, linear.at(0), 1e-15);
        for (long step = 4; step <= 80; step++) {
            assertEquals(1e-3, linear.at(step), 0.0);
        }
        assertEquals(1e-3 - 9e-4 / 20, linear.at(81), 1e-15);
        assertEquals(5.5e-4, linear.at(90), 1e-15);
        assertEquals(1e-4 + 9e-4 / 20, linear.at(99), 1e-15);
        assertEquals(1e-4, linear.at(100), 0.0);
        Schedule sqrt = new Schedule(Kind.CONSTANT, 1e-3, 0, 5, 20, Cooldown.SQRT, 100);
        assertEquals(1e-3, sqrt.at(80), 0.0);
        assertEquals(5e-4, sqrt.at(85), 1e-15);
        assertEquals(1e-3 * (1 - Math.sqrt(0.95)), sqrt.at(99), 1e-15);
    }

    /** Why a cool-down may branch off from any checkpoint: before it, the length of the run does not matter. */
    @Test
    void theConstantPartDoesNotDependOnTheLengthOfTheRun() {
        Schedule whole = new Schedule(Kind.CONSTANT, 1e-3, 0, 10, 0, Cooldown.LINEAR, 1_000);
        Schedule branch = new Schedule(Kind.CONSTANT, 1e-3, 0, 10, 30, Cooldown.LINEAR, 90);
        for (long step = 0; step <= 60; step++) {
            assertEquals(whole.at(step), branch.at(step), 0.0);
        }
        assertEquals(1e-3, whole.at(1_000_000), 0.0);
        assertEquals(0, branch.at(90), 0.0);
    }

    @Test
    void aLinearScheduleFallsInAStraightLine() {
        Schedule schedule = new Schedule(Kind.LINEAR, 1e-3, 2e-4, 10, 0, Cooldown.LINEAR, 110);
        assertEquals(1e-4, schedule.at(0), 1e-15);
        assertEquals(1e-3, schedule.at(10), 1e-15);
        assertEquals(6e-4, schedule.at(60), 1e-15);
        assertEquals(2e-4, schedule.at(110), 0.0);
    }

    @Test
    void aCooldownThatDoesNotFitIsNamed() {
        String tooLong = assertThrows(
                        IllegalArgumentException.class,
                        () -> new Schedule(Kind.CONSTANT, 1, 0, 5, 6, Cooldown.LINEAR, 10))
                .getMessage();
        assertTrue(tooLong.contains("train.cooldownSteps"), tooLong);
        String twice = assertThrows(
                        IllegalArgumentException.class,
                        () -> new Schedule(Kind.COSINE, 1, 0, 0, 5, Cooldown.LINEAR, 10))
                .getMessage();
        assertTrue(twice.contains("train.schedule=constant"), twice);
        assertThrows(IllegalArgumentException.class, () -> new Schedule(Kind.LINEAR, 1, 2, 0, 0, Cooldown.LINEAR, 10));
    }

    @Test
    void impossibleSchedulesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> Schedule.cosine(0, 1, 10));
        assertThrows(IllegalArgumentException.class, () -> Schedule.cosine(Double.NaN, 1, 10));
        assertThrows(IllegalArgumentException.class, () -> Schedule.cosine(1, 11, 10));
        assertThrows(IllegalArgumentException.class, () -> Schedule.cosine(1, 0, 0));
    }

    @Test
    void prefixLengthsAreUniformOverTheirRange() {
        int patches = 16;
        int[] counts = new int[patches];
        int draws = 150_000;
        for (long key = 0; key < draws; key++) {
            counts[Prefix.draw(key, patches)]++;
        }
        assertEquals(0, counts[0]);
        for (int prefix = 1; prefix < patches; prefix++) {
            assertEquals(draws / 15.0, counts[prefix], 500, "prefix " + prefix);
        }
        assertEquals(1, Prefix.draw(123, 2));
    }
}
