package io.rasterflow.model.bench;

import io.rasterflow.model.Compute;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.optimizer.OptimizerConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Times full training steps on random images: loss, gradients, clipping, AdamW, a prefix length per image.
 *
 * @param medianSeconds of a step
 * @param gradientSeconds median of forward and backward
 * @param updateSeconds median of clipping and AdamW
 * @param loss of the last step
 */
public record StepBenchmark(double medianSeconds, double gradientSeconds, double updateSeconds, double loss) {
    private static final int WARM_UP = 4;

    /**
     * @param batch images of a step
     * @param steps measured after four that are not
     */
    public static StepBenchmark run(AimConfig model, Compute compute, int batch, int steps) {
        OptimizerConfig optimizer = new OptimizerConfig(0.9, 0.95, 1e-8, 0.05, 1.0);
        Random random = new Random(1);
        ByteBuffer images = floats((long) batch * model.channels() * model.imageSize() * model.imageSize());
        for (int i = 0; i < images.capacity(); i += Float.BYTES) {
            images.putFloat(i, (float) random.nextGaussian());
        }
        try (Replica replica = Aim.replica(model, optimizer, compute)) {
            replica.initialise(1);
            List<ByteBuffer> gradient = new ArrayList<>();
            replica.bucketFloats().forEach(length -> gradient.add(floats(length)));
            double[] gradients = new double[steps];
            double[] updates = new double[steps];
            double[] whole = new double[steps];
            double loss = Double.NaN;
            for (int step = -WARM_UP; step < steps; step++) {
                long[] keys = random.longs(batch).toArray();
                long start = System.nanoTime();
                LossSum sum = replica.gradients(images, keys, gradient, bucket -> {});
                long middle = System.nanoTime();
                replica.update(gradient, sum.patches(), 1e-3);
                long end = System.nanoTime();
                if (step >= 0) {
                    gradients[step] = (middle - start) * 1e-9;
                    updates[step] = (end - middle) * 1e-9;
                    whole[step] = (end - start) * 1e-9;
                }
                loss = sum.mean();
            }
            return new StepBenchmark(median(whole), median(gradients), median(updates), loss);
        }
    }

    private static ByteBuffer floats(long count) {
        return ByteBuffer.allocateDirect(Math.toIntExact(count * Float.BYTES)).order(ByteOrder.nativeOrder());
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
