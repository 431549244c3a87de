package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.Models.OPTIMIZER;
import static io.rasterflow.tests.model.Models.SMALL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.Buckets;
import io.rasterflow.model.Compute;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Precision;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimLayout;
import io.rasterflow.model.aim.AimReplica;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.optimizer.OptimizerConfig;
import io.rasterflow.model.program.ParameterLayout;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Paired
class AimReplicaTest {
    private static final int IMAGES = 8;

    /** Trains steps [from, to) on inputs that depend on the step alone. */
    private static void train(Replica replica, int from, int to) {
        ByteBuffer gradient = Models.floats(replica.gradientFloats());
        for (int step = from; step < to; step++) {
            ByteBuffer images = Models.images(SMALL, IMAGES, step);
            LossSum loss = replica.gradients(images, Models.keys(IMAGES, step), gradient);
            assertTrue(Double.isFinite(replica.update(gradient, loss.patches(), 1e-3)));
        }
    }

    /** Wide enough that 200 images fall into several slices. */
    private static final AimConfig SLICED = new AimConfig(
            28,
            4,
            1,
            new AimConfig.Trunk(64, 2, 2),
            new AimConfig.Head(AimConfig.Head.Kind.MLP, 64, 1),
            Objective.PAPER,
            1e-6);

    private static ByteBuffer gradientOf(int threads, int images, LossSum[] loss) {
        Compute compute = new Compute(Precision.FP32, "cpu", 0, threads);
        try (Replica replica = Aim.replica(SLICED, OPTIMIZER, compute)) {
            replica.initialise(1);
            ByteBuffer gradient = Models.floats(replica.gradientFloats());
            List<Integer> ready = new ArrayList<>();
            List<ByteBuffer> buckets = Buckets.of(gradient, replica.bucketFloats());
            loss[0] = replica.gradients(Models.images(SLICED, images, 2), Models.keys(images, 3), buckets, ready::add);
            assertEquals(List.of(0), ready);
            return gradient;
        }
    }

    @Test
    void aMicroBatchOfManySlicesGivesTheSameBitsOnAnyNumberOfThreads() {
        LossSum[] one = new LossSum[1];
        ByteBuffer expected = gradientOf(1, 200, one);
        for (int threads : new int[] {2, 3, 5}) {
            LossSum[] many = new LossSum[1];
            assertEquals(expected, gradientOf(threads, 200, many), threads + " threads");
            assertEquals(one[0], many[0]);
        }
    }

    /** Lanes meet in another order every time. A model of one block has hardly more groups than a lane may be ahead. */
    @Test
    @Timeout(120)
    void howLanesMeetHasNoSay() {
        AimConfig small = new AimConfig(
                28,
                4,
                1,
                new AimConfig.Trunk(64, 1, 2),
                new AimConfig.Head(AimConfig.Head.Kind.NONE, 8, 0),
                Objective.PAPER,
                1e-6);
        ByteBuffer images = Models.images(small, 500, 2);
        for (int threads : new int[] {2, 3, 4}) {
            try (Replica replica = Aim.replica(small, OPTIMIZER, new Compute(Precision.FP32, "cpu", 0, threads))) {
                replica.initialise(1);
                ByteBuffer expected = Models.floats(replica.gradientFloats());
                replica.gradients(images, Models.keys(500, 3), expected);
                ByteBuffer gradient = Models.floats(replica.gradientFloats());
                for (int pass = 0; pass < 50; pass++) {
                    replica.gradients(images, Models.keys(500, 3), gradient);
                    assertEquals(expected, gradient, threads + " threads, pass " + pass);
                }
            }
        }
    }

    @Test
    void aFailureInOneLaneEndsTheMicroBatchAndTheNextOneIsComputed() {
        try (AimReplica replica =
                (AimReplica) Aim.replica(SLICED, OPTIMIZER, new Compute(Precision.FP32, "cpu", 0, 3))) {
            replica.initialise(1);
            ByteBuffer gradient = Models.floats(replica.gradientFloats());
            long[] keys = Models.keys(200, 3);
            ByteBuffer images = Models.images(SLICED, 200, 2);
            ByteBuffer cut = images.slice(0, images.capacity() / 2).order(images.order());
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> replica.gradients(cut, keys, gradient));
            assertTrue(refused.getMessage().contains("images"), refused.getMessage());
            replica.gradients(images, keys, gradient);
            assertEquals(gradientOf(1, 200, new LossSum[1]), gradient);
        }
    }

    @Test
    void twoReplicasOnTwoThreadsStayBitIdentical() throws Exception {
        Callable<String> job = () -> {
            try (Replica replica = Aim.replica(SMALL, OPTIMIZER, Compute.REFERENCE)) {
                replica.initialise(7);
                train(replica, 0, 12);
                return Models.hash(replica.snapshot());
            }
        };
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            List<Future<String>> hashes = threads.invokeAll(List.of(job, job));
            assertEquals(hashes.get(0).get(), hashes.get(1).get());
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void aRestoredReplicaContinuesBitForBit() {
        Snapshot middle;
        String expected;
        try (Replica replica = Aim.replica(SMALL, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(3);
            train(replica, 0, 5);
            middle = replica.snapshot();
            train(replica, 5, 9);
            expected = Models.hash(replica.snapshot());
            assertEquals(9, replica.snapshot().step());
            replica.restore(middle);
            train(replica, 5, 9);
            assertEquals(expected, Models.hash(replica.snapshot()));
        }
        try (Replica other = Aim.replica(SMALL, OPTIMIZER, Compute.REFERENCE)) {
            other.restore(middle);
            assertEquals(5, other.snapshot().step());
            train(other, 5, 9);
            assertEquals(expected, Models.hash(other.snapshot()));
        }
    }

    @Test
    void aRehearsalIsForgotten() {
        OptimizerConfig averaging = new OptimizerConfig(0.9, 0.95, 1e-8, 0.05, 1.0, 0.9);
        String expected;
        try (Replica replica = Aim.replica(SMALL, averaging, Compute.REFERENCE)) {
            replica.initialise(3);
            train(replica, 0, 3);
            expected = Models.hash(replica.snapshot());
        }
        try (AimReplica replica = (AimReplica) Aim.replica(SMALL, averaging, Compute.REFERENCE)) {
            int tensors = replica.liveTensors();
            replica.rehearse(Models.images(SMALL, IMAGES, 99), Models.keys(IMAGES, 99));
            assertEquals(tensors, replica.liveTensors());
            replica.initialise(3);
            train(replica, 0, 3);
            assertEquals(expected, Models.hash(replica.snapshot()));
        }
    }

    @Test
    void initialWeightsDependOnTheSeedAlone() {
        try (Replica replica = Aim.replica(SMALL, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(1);
            String first = Models.hash(replica.snapshot());
            train(replica, 0, 2);
            assertNotEquals(first, Models.hash(replica.snapshot()));
            replica.initialise(1);
            assertEquals(first, Models.hash(replica.snapshot()));
            assertEquals(0, replica.snapshot().step());
            replica.initialise(2);
            assertNotEquals(first, Models.hash(replica.snapshot()));
        }
    }

    @Test
    void lossAndGradientAreSumsOverMicroBatches() {
        try (Replica replica = Aim.replica(SMALL, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(5);
            int floats = replica.gradientFloats();
            ByteBuffer images = Models.images(SMALL, IMAGES, 1);
            long[] keys = Models.keys(IMAGES, 1);
            ByteBuffer whole = Models.floats(floats);
            LossSum together = replica.gradients(images, keys, whole);
            LossSum parts = LossSum.ZERO;
            float[] sum = new float[floats];
            int imageBytes = images.capacity() / IMAGES;
            for (int i = 0; i < IMAGES; i += 2) {
                ByteBuffer half = images.slice(i * imageBytes, 2 * imageBytes).order(images.order());
                ByteBuffer gradient = Models.floats(floats);
                parts = parts.plus(replica.gradients(half, new long[] {keys[i], keys[i + 1]}, gradient));
                for (int j = 0; j < floats; j++) {
                    sum[j] += gradient.getFloat(j * Float.BYTES);
                }
            }
            assertEquals(together.patches(), parts.patches());
            assertEquals(together.sum(), parts.sum(), 1e-5 * together.sum());
            for (int j = 0; j < floats; j++) {
                assertEquals(whole.getFloat(j * Float.BYTES), sum[j], 2e-3, "gradient " + j);
            }
        }
    }

    @Test
    void aGradientThatIsNotFiniteChangesNothing() {
        try (Replica replica = Aim.replica(SMALL, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(1);
            train(replica, 0, 1);
            String before = Models.hash(replica.snapshot());
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
                ByteBuffer gradient = Models.floats(replica.gradientFloats());
                gradient.putFloat(40, bad);
                assertFalse(Double.isFinite(replica.update(gradient, 10, 1e-3)));
                assertEquals(before, Models.hash(replica.snapshot()));
                assertEquals(1, replica.snapshot().step());
            }
        }
    }

    /** Covers the kernel for long sequences, and gradients through it, by a central difference along the gradient. */
    @Test
    void gradientsOfLongSequencesAgreeWithDifferences() {
        AimConfig config = new AimConfig(36, 4, 3, new AimConfig.Trunk(16, 2, 2), new AimConfig.Head(16, 1), 1e-5);
        ByteBuffer images = Models.images(config, 2, 9);
        long[] keys = {11, 12};
        try (Replica replica = Aim.replica(config, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(4);
            Snapshot start = replica.snapshot();
            ByteBuffer gradient = Models.floats(replica.gradientFloats());
            replica.gradients(images, keys, gradient);
            double square = 0;
            for (int i = 0; i < replica.gradientFloats(); i++) {
                square += Math.pow(gradient.getFloat(i * Float.BYTES), 2);
            }
            double distance = 1e-2;
            double scale = distance / Math.sqrt(square);
            double up = lossAt(config, replica, start, gradient, scale, images, keys);
            double down = lossAt(config, replica, start, gradient, -scale, images, keys);
            assertEquals(Math.sqrt(square), (up - down) / (2 * distance), 0.02 * Math.sqrt(square));
        }
    }

    private static double lossAt(
            AimConfig config,
            Replica replica,
            Snapshot start,
            ByteBuffer direction,
            double scale,
            ByteBuffer images,
            long[] keys) {
        ParameterLayout layout = AimLayout.of(config);
        List<float[]> weights = layout.flatten(start.weights());
        int at = 0;
        for (float[] bucket : weights) {
            for (int i = 0; i < bucket.length; i++) {
                bucket[i] += (float) (scale * direction.getFloat(Float.BYTES * at++));
            }
        }
        replica.restore(new Snapshot(0, layout.unflatten(weights), start.firstMoments(), start.secondMoments()));
        return replica.gradients(images, keys, Models.floats(replica.gradientFloats()))
                .sum();
    }

    @Test
    void bf16StaysCloseToFloat32() {
        List<double[]> results = new ArrayList<>();
        for (Precision precision : new Precision[] {Precision.FP32, Precision.BF16}) {
            try (Replica replica = Aim.replica(SMALL, OPTIMIZER, Compute.of(precision))) {
                replica.initialise(2);
                ByteBuffer gradient = Models.floats(replica.gradientFloats());
                LossSum loss = replica.gradients(Models.images(SMALL, IMAGES, 3), Models.keys(IMAGES, 3), gradient);
                results.add(new double[] {loss.mean(), replica.update(gradient, loss.patches(), 1e-3)});
            }
        }
        assertEquals(results.get(0)[0], results.get(1)[0], 0.01 * results.get(0)[0]);
        assertEquals(results.get(0)[1], results.get(1)[1], 0.03 * results.get(0)[1]);
        assertNotEquals(results.get(0)[0], results.get(1)[0]);
    }

    @Test
    void weightsOfAnotherArchitectureAreRefusedByName() {
        AimConfig wider = new AimConfig(28, 7, 1, new AimConfig.Trunk(64, 2, 4), new AimConfig.Head(16, 1), 1e-6);
        try (Replica small = Aim.replica(SMALL, OPTIMIZER, Compute.REFERENCE);
                Replica large = Aim.replica(wider, OPTIMIZER, Compute.REFERENCE)) {
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> small.restore(large.snapshot()));
            assertTrue(refused.getMessage().contains("preprocessor.patchifier.proj.weight"), refused.getMessage());
            assertTrue(refused.getMessage().contains("[64, 1, 7, 7]"), refused.getMessage());
            assertTrue(refused.getMessage().contains("[32, 1, 7, 7]"), refused.getMessage());
        }
    }

    @Test
    void anotherThreadIsRefused() throws InterruptedException {
        try (Replica replica = Aim.replica(SMALL, OPTIMIZER, Compute.REFERENCE)) {
            List<Throwable> failures = new ArrayList<>();
            Thread other = new Thread(() -> replica.initialise(1), "other");
            other.setUncaughtExceptionHandler((thread, failure) -> failures.add(failure));
            other.start();
            other.join();
            assertTrue(failures.get(0).getMessage().contains("other"), failures.toString());
        }
    }

    @Test
    void memoryStaysFlatOverTwoThousandSteps() throws IOException {
        AimConfig config = new AimConfig(28, 14, 1, new AimConfig.Trunk(64, 1, 2), new AimConfig.Head(16, 1), 1e-6);
        try (AimReplica replica =
                (AimReplica) Aim.replica(config, OPTIMIZER, new Compute(Precision.FP32, "cpu", 0, 2))) {
            replica.initialise(1);
            ByteBuffer gradient = Models.floats(replica.gradientFloats());
            ByteBuffer images = Models.images(config, 4, 1);
            long[] keys = Models.keys(4, 1);
            long early = Long.MAX_VALUE;
            long late = Long.MAX_VALUE;
            for (int step = 0; step < 2500; step++) {
                LossSum loss = replica.gradients(images, keys, gradient);
                replica.update(gradient, loss.patches(), 1e-4);
                assertEquals(4, replica.liveTensors());
                if (step >= 200 && step < 500 && step % 100 == 0) {
                    early = Math.min(early, residentBytes());
                } else if (step >= 2200 && step % 100 == 0) {
                    late = Math.min(late, residentBytes());
                }
            }
            // The collector and the compiler of the JVM move the resident set by some 30 MB; the least of three
            // readings
            // leaves most of that out. A leak of one gradient a step would be this much:
            long leaked = 2000L * replica.gradientFloats() * Float.BYTES;
            assertTrue(leaked > 400_000_000, leaked + " bytes would leak");
            long grown = late - early;
            assertTrue(grown < leaked / 8, "resident set grew by " + grown + " bytes, a leak would be " + leaked);
        }
    }

    private static long residentBytes() throws IOException {
        System.gc();
        String[] pages = Files.readString(Path.of("/proc/self/statm")).split(" ");
        return Long.parseLong(pages[1]) * 4096;
    }
}
