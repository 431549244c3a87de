package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.model.Compute;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.optimizer.OptimizerConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.SortedMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** One rank that adds up many micro-batches trains as if it had seen the global batch at once. */
class AccumulationTest {

    private static final AimConfig CONFIG =
            new AimConfig(28, 7, 1, new AimConfig.Trunk(32, 2, 4), new AimConfig.Head(16, 1), 1e-6);
    private static final OptimizerConfig OPTIMIZER = new OptimizerConfig(0.9, 0.95, 1e-3, 0.05, 1.0);
    private static final int BATCH = 12;
    private static final int IMAGE_BYTES = 28 * 28 * Float.BYTES;

    private static SortedMap<String, Tensor> train(int microBatches, int steps) throws Exception {
        try (Replica replica = Aim.replica(CONFIG, OPTIMIZER, Compute.REFERENCE);
                World world = new World(microBatches, replica.bucketFloats(), World.config(1 << 16, 30_000), 1)) {
            Exchange exchange = world.exchanges.get(0);
            replica.initialise(3);
            for (int step = 0; step < steps; step++) {
                ByteBuffer images = images(step);
                long[] keys = new Random(step).longs(BATCH).toArray();
                exchange.begin(step);
                int size = BATCH / microBatches;
                for (int first = 0; first < BATCH; first += size) {
                    ByteBuffer some = images.slice(first * IMAGE_BYTES, size * IMAGE_BYTES)
                            .order(ByteOrder.nativeOrder());
                    long[] someKeys = Arrays.copyOfRange(keys, first, first + size);
                    LossSum loss = replica.gradients(some, someKeys, exchange.nextGradient(), exchange::ready);
                    exchange.contribute(loss.sum(), loss.patches(), size);
                }
                Exchange.Reduced sum =
                        exchange.allReduce().toCompletableFuture().get(20, TimeUnit.SECONDS);
                assertEquals(BATCH, sum.images());
                replica.update(sum.gradientSum(), sum.patches(), 1e-2);
            }
            return replica.snapshot().weights();
        }
    }

    private static ByteBuffer images(long seed) {
        ByteBuffer images = ByteBuffer.allocateDirect(BATCH * IMAGE_BYTES).order(ByteOrder.nativeOrder());
        Random random = new Random(seed);
        while (images.hasRemaining()) {
            images.putFloat((float) random.nextGaussian());
        }
        return images.flip();
    }

    @Test
    void sixMicroBatchesOnOneRankEqualTheWholeBatch() throws Exception {
        SortedMap<String, Tensor> whole = train(1, 4);
        SortedMap<String, Tensor> parts = train(6, 4);
        double moved = 0;
        SortedMap<String, Tensor> start = train(1, 0);
        for (String name : whole.keySet()) {
            for (int i = 0; i < whole.get(name).values().limit(); i++) {
                float expected = whole.get(name).values().get(i);
                assertEquals(expected, parts.get(name).values().get(i), 1e-4, name + " " + i);
                moved = Math.max(
                        moved, Math.abs(expected - start.get(name).values().get(i)));
            }
        }
        assertEquals(0.03, moved, 0.03, "the weights moved by " + moved);
    }
}
