package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.aim.Prefix;
import io.rasterflow.model.optimizer.WarmupCosine;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    @Test
    void theRateWarmsUpLinearlyAndFallsAsACosine() {
        WarmupCosine schedule = new WarmupCosine(2e-3, 10, 110);
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

    @Test
    void impossibleSchedulesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new WarmupCosine(0, 1, 10));
        assertThrows(IllegalArgumentException.class, () -> new WarmupCosine(Double.NaN, 1, 10));
        assertThrows(IllegalArgumentException.class, () -> new WarmupCosine(1, 11, 10));
        assertThrows(IllegalArgumentException.class, () -> new WarmupCosine(1, 0, 0));
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
