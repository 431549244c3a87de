package io.rasterflow.tests.model;

import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.checkpoint.WeightsHash;
import io.rasterflow.model.optimizer.OptimizerConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.SortedMap;

/** Small models and inputs that the tests of this package share. */
final class Models {
    static final OptimizerConfig OPTIMIZER = new OptimizerConfig(0.9, 0.95, 1e-8, 0.05, 1.0);
    static final AimConfig SMALL =
            new AimConfig(28, 7, 1, new AimConfig.Trunk(32, 2, 4), new AimConfig.Head(16, 1), 1e-6);

    private Models() {}

    static ByteBuffer images(AimConfig config, int count, long seed) {
        int values = count * config.channels() * config.imageSize() * config.imageSize();
        ByteBuffer images = floats(values);
        Random random = new Random(seed);
        for (int i = 0; i < values; i++) {
            images.putFloat(i * Float.BYTES, (float) random.nextGaussian());
        }
        return images;
    }

    static ByteBuffer floats(int count) {
        return ByteBuffer.allocateDirect(count * Float.BYTES).order(ByteOrder.nativeOrder());
    }

    static long[] keys(int count, long seed) {
        return new Random(seed).longs(count).toArray();
    }

    static String hash(Snapshot snapshot) {
        return WeightsHash.sha256(snapshot.weights())
                + WeightsHash.sha256(snapshot.firstMoments())
                + WeightsHash.sha256(snapshot.secondMoments());
    }

    static Tensor tensor(float[] values, long... shape) {
        return new Tensor(shape, FloatBuffer.wrap(values));
    }

    static long values(SortedMap<String, Tensor> tensors) {
        return tensors.values().stream()
                .mapToLong(tensor -> tensor.values().capacity())
                .sum();
    }
}
