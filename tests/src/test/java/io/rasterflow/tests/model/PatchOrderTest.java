package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.rasterflow.model.aim.Objective.Order;
import io.rasterflow.model.aim.PatchOrder;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PatchOrderTest {

    @ParameterizedTest
    @EnumSource(Order.class)
    void everyOrderVisitsEveryPatchOnce(Order order) {
        for (int grid = 2; grid <= 16; grid++) {
            int[] visited = PatchOrder.of(order, grid).clone();
            Arrays.sort(visited);
            assertArrayEquals(IntStream.range(0, grid * grid).toArray(), visited, order + " " + grid);
        }
    }

    @Test
    void theSpiralStartsInTheCentreAndMovesToNeighbours() {
        assertArrayEquals(new int[] {4, 5, 8, 7, 6, 3, 0, 1, 2}, PatchOrder.of(Order.SPIRAL, 3));
        int[] order = PatchOrder.of(Order.SPIRAL, 4);
        assertEquals(5, order[0]);
        for (int i = 1; i < order.length; i++) {
            int distance = Math.abs(order[i] / 4 - order[i - 1] / 4) + Math.abs(order[i] % 4 - order[i - 1] % 4);
            assertEquals(1, distance, Arrays.toString(order));
        }
    }

    @Test
    void theCheckerboardVisitsOneColourFirst() {
        assertArrayEquals(new int[] {0, 2, 4, 6, 8, 1, 3, 5, 7}, PatchOrder.of(Order.CHECKERBOARD, 3));
    }

    @Test
    void theRandomOrderIsFixedAndNotRaster() {
        assertArrayEquals(PatchOrder.of(Order.RANDOM, 8), PatchOrder.of(Order.RANDOM, 8));
        assertFalse(Arrays.equals(PatchOrder.of(Order.RASTER, 8), PatchOrder.of(Order.RANDOM, 8)));
    }
}
