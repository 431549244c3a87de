package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.optimizer.NoiseScale;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The estimator against gradients whose signal and noise are known. */
class NoiseScaleTest {

    private static final int VALUES = 200;

    /** Gradients G + ε with |G|² = signal and tr Σ = noise per image, in M micro-batches of b images. */
    private static double estimate(double signal, double noise, int microBatches, int images, int steps, long seed) {
        Random random = new Random(seed);
        NoiseScale scale = new NoiseScale(images, microBatches * images);
        double mean = Math.sqrt(signal / VALUES);
        double deviation = Math.sqrt(noise / VALUES / images);
        double sum = 0;
        int counted = 0;
        for (int step = 0; step < steps; step++) {
            double[] large = new double[VALUES];
            double smallSquare = 0;
            for (int m = 0; m < microBatches; m++) {
                for (int i = 0; i < VALUES; i++) {
                    double value = mean + deviation * random.nextGaussian();
                    smallSquare += value * value / microBatches;
                    large[i] += value / microBatches;
                }
            }
            double largeSquare = 0;
            for (double value : large) {
                largeSquare += value * value;
            }
            double estimate = scale.add(smallSquare, largeSquare);
            if (step >= steps / 4) {
                sum += estimate;
                counted++;
            }
        }
        return sum / counted;
    }

    @Test
    void recoversTheRatioOfNoiseToSignal() {
        assertEquals(100, estimate(4, 400, 4, 8, 2_000, 1), 5);
        assertEquals(10, estimate(4, 40, 8, 4, 2_000, 2), 0.5);
        assertEquals(500, estimate(0.1, 50, 8, 64, 2_000, 3), 25);
    }

    @Test
    void isUnknownWhileTheNoiseHidesTheSignal() {
        NoiseScale scale = new NoiseScale(8, 32);
        assertTrue(Double.isNaN(scale.add(40, 10)), "|G|² is estimated as 0");
        assertTrue(Double.isNaN(scale.add(Double.NaN, 10)));
        assertTrue(Double.isNaN(scale.add(Double.POSITIVE_INFINITY, 10)));
        assertTrue(scale.add(40, 30) > 0, "a step that is not finite spoils no later one");
        assertTrue(Double.isNaN(new NoiseScale(8, 32).add(10, 10)), "no noise at all");
    }

    @Test
    void aSingleMicroBatchIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new NoiseScale(32, 32));
        assertThrows(IllegalArgumentException.class, () -> new NoiseScale(0, 32));
    }
}
