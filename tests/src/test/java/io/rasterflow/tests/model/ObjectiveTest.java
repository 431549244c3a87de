package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.Models.OPTIMIZER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Evaluator;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Precision;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimConfig.Head;
import io.rasterflow.model.aim.AimLayout;
import io.rasterflow.model.aim.Objective;
import io.rasterflow.model.aim.Objective.Attention;
import io.rasterflow.model.aim.Objective.Kind;
import io.rasterflow.model.aim.Objective.Order;
import io.rasterflow.model.aim.Objective.Target;
import io.rasterflow.model.checkpoint.Safetensors;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.program.ParameterLayout;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every objective, head and attention that the paper compares: hand-derived gradients against differences of the loss. */
@Paired
class ObjectiveTest {
    private static final int IMAGES = 3;
    private static final int VOCABULARY = 5;

    @TempDir
    private static Path directory;

    @BeforeAll
    static void writeCodebook() throws IOException {
        float[] centroids = new float[VOCABULARY * 48];
        Random random = new Random(5);
        for (int i = 0; i < centroids.length; i++) {
            centroids[i] = (float) random.nextGaussian();
        }
        TreeMap<String, Tensor> tensors = new TreeMap<>(Map.of("codebook", Models.tensor(centroids, VOCABULARY, 48)));
        Safetensors.write(directory.resolve("codebook.safetensors"), tensors, Map.of());
    }

    private static AimConfig model(int imageSize, Head head, Objective objective) {
        return new AimConfig(imageSize, 4, 3, new AimConfig.Trunk(16, 2, 2), head, objective, 1e-5);
    }

    private static Objective objective(Kind kind, Target target, Order order, Attention attention) {
        boolean tokens = target == Target.TOKENS;
        String codebook = tokens ? directory.resolve("codebook.safetensors").toString() : "";
        return new Objective(kind, 0.5, target, tokens ? VOCABULARY : 0, codebook, order, attention);
    }

    static Stream<AimConfig> models() {
        Head mlp = new Head(Head.Kind.MLP, 8, 2);
        Head none = new Head(Head.Kind.NONE, 8, 0);
        Head transformer = new Head(Head.Kind.TRANSFORMER, 24, 2);
        Objective masked = objective(Kind.MASKED, Target.NORMALISED, Order.RASTER, Attention.PREFIX);
        Objective causal = objective(Kind.AUTOREGRESSIVE, Target.RAW, Order.RASTER, Attention.CAUSAL);
        Objective tokens = objective(Kind.AUTOREGRESSIVE, Target.TOKENS, Order.SPIRAL, Attention.CAUSAL);
        return Stream.of(
                model(16, mlp, Objective.PAPER),
                model(16, none, objective(Kind.AUTOREGRESSIVE, Target.RAW, Order.CHECKERBOARD, Attention.PREFIX)),
                model(
                        16,
                        transformer,
                        objective(Kind.AUTOREGRESSIVE, Target.NORMALISED, Order.RANDOM, Attention.PREFIX)),
                model(16, mlp, tokens),
                model(16, mlp, masked),
                model(16, transformer, masked),
                model(36, none, Objective.PAPER),
                model(36, transformer, Objective.PAPER),
                model(36, mlp, masked),
                model(60, none, Objective.PAPER),
                model(60, transformer, causal),
                model(60, mlp, masked));
    }

    @ParameterizedTest
    @MethodSource("models")
    void gradientOfEveryParameterAgreesWithDifferences(AimConfig config) {
        ByteBuffer images = Models.images(config, IMAGES, 9);
        long[] keys = Models.keys(IMAGES, 4);
        ParameterLayout layout = AimLayout.of(config);
        try (Replica replica = Aim.replica(config, OPTIMIZER, Compute.REFERENCE);
                Evaluator evaluator = Aim.evaluator(config, Compute.REFERENCE)) {
            replica.initialise(4);
            Snapshot start = replica.snapshot();
            ByteBuffer gradient = Models.floats(replica.gradientFloats());
            LossSum loss = replica.gradients(images, keys, gradient);
            evaluator.load(start);
            assertEquals(evaluator.loss(images, keys).sum(), loss.sum(), 1e-4 * loss.sum());
            List<float[]> weights = layout.flatten(start.weights());
            for (ParameterLayout.Slot slot : layout.slots()) {
                int base = bucketStart(layout, slot.bucket()) + slot.offset();
                double square = 0;
                for (int i = 0; i < slot.size(); i++) {
                    square += Math.pow(gradient.getFloat((base + i) * Float.BYTES), 2);
                }
                assertTrue(square > 0, slot.name() + " has no gradient");
                double distance = 2e-2 * Math.min(1, Math.sqrt(slot.size()) / 10);
                double scale = distance / Math.sqrt(square);
                double up = lossAt(evaluator, layout, start, weights, slot, gradient, base, scale, images, keys);
                double down = lossAt(evaluator, layout, start, weights, slot, gradient, base, -scale, images, keys);
                double norm = Math.sqrt(square);
                assertEquals(norm, (up - down) / (2 * distance), 0.03 * norm + 2e-3, slot.name());
            }
        }
    }

    private static int bucketStart(ParameterLayout layout, int bucket) {
        return layout.buckets().subList(0, bucket).stream()
                .mapToInt(ParameterLayout.Bucket::floats)
                .sum();
    }

    private static double lossAt(
            Evaluator evaluator,
            ParameterLayout layout,
            Snapshot start,
            List<float[]> weights,
            ParameterLayout.Slot slot,
            ByteBuffer direction,
            int base,
            double scale,
            ByteBuffer images,
            long[] keys) {
        List<float[]> moved = new ArrayList<>();
        weights.forEach(bucket -> moved.add(bucket.clone()));
        for (int i = 0; i < slot.size(); i++) {
            moved.get(slot.bucket())[slot.offset() + i] +=
                    (float) (scale * direction.getFloat((base + i) * Float.BYTES));
        }
        evaluator.load(new Snapshot(0, layout.unflatten(moved), start.firstMoments(), start.secondMoments()));
        return evaluator.loss(images, keys).sum();
    }

    @ParameterizedTest
    @MethodSource("models")
    void recomputedBlocksGiveTheSameBits(AimConfig config) {
        ByteBuffer images = Models.images(config, IMAGES, 2);
        long[] keys = Models.keys(IMAGES, 3);
        List<ByteBuffer> results = new ArrayList<>();
        for (long budget : new long[] {0, 1, 60_000}) {
            try (Replica replica = Aim.replica(config, OPTIMIZER, new Compute(Precision.FP32, "cpu", budget, 1))) {
                replica.initialise(1);
                ByteBuffer gradient = Models.floats(replica.gradientFloats());
                replica.gradients(images, keys, gradient);
                results.add(gradient);
            }
        }
        assertEquals(results.get(0), results.get(1));
        assertEquals(results.get(0), results.get(2));
    }

    @ParameterizedTest
    @MethodSource("models")
    void bf16StaysCloseInHardwareAndRounded(AimConfig config) {
        ByteBuffer images = Models.images(config, IMAGES, 2);
        long[] keys = Models.keys(IMAGES, 3);
        double[] exact = lossAndNorm(config, Precision.FP32, images, keys);
        for (String form : List.of("hardware", "rounded")) {
            System.setProperty("rasterflow.bf16", form);
            try {
                double[] rounded = lossAndNorm(config, Precision.BF16, images, keys);
                assertEquals(exact[0], rounded[0], 0.02 * exact[0], form);
                assertEquals(exact[1], rounded[1], 0.05 * exact[1], form);
                assertNotEquals(exact[0], rounded[0], form);
            } finally {
                System.clearProperty("rasterflow.bf16");
            }
        }
    }

    private static double[] lossAndNorm(AimConfig config, Precision precision, ByteBuffer images, long[] keys) {
        try (Replica replica = Aim.replica(config, OPTIMIZER, Compute.of(precision))) {
            replica.initialise(2);
            ByteBuffer gradient = Models.floats(replica.gradientFloats());
            LossSum loss = replica.gradients(images, keys, gradient);
            return new double[] {loss.mean(), replica.update(gradient, loss.patches(), 1e-3)};
        }
    }

    /** Its normalised pixels are a target, and stay what they are when its brightness and contrast change. */
    @ParameterizedTest
    @ValueSource(ints = {16, 32, 36, 48})
    void nothingIsPredictedFromTheLastPatch(int size) {
        AimConfig config = model(size, new Head(Head.Kind.MLP, 8, 1), Objective.PAPER);
        ByteBuffer images = Models.images(config, IMAGES, 2);
        ByteBuffer changed = Models.images(config, IMAGES, 2);
        for (int plane = 0; plane < IMAGES * 3; plane++) {
            for (int y = size - 4; y < size; y++) {
                for (int x = size - 4; x < size; x++) {
                    int at = ((plane * size + y) * size + x) * Float.BYTES;
                    changed.putFloat(at, 3 * changed.getFloat(at) + 1);
                }
            }
        }
        try (Evaluator evaluator = Aim.evaluator(config, Compute.REFERENCE);
                Replica replica = Aim.replica(config, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(1);
            evaluator.load(replica.snapshot());
            double loss = evaluator.loss(images, Models.keys(IMAGES, 3)).sum();
            assertEquals(loss, evaluator.loss(changed, Models.keys(IMAGES, 3)).sum(), 1e-5 * loss);
            changed.putFloat(0, changed.getFloat(0) + 1);
            assertNotEquals(
                    loss, evaluator.loss(changed, Models.keys(IMAGES, 3)).sum(), 1e-5 * loss);
        }
    }

    @Test
    void causalAttentionCountsEveryPatchButTheFirst() {
        AimConfig config = model(
                16,
                new Head(Head.Kind.NONE, 8, 0),
                objective(Kind.AUTOREGRESSIVE, Target.NORMALISED, Order.RASTER, Attention.CAUSAL));
        try (Replica replica = Aim.replica(config, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(1);
            LossSum loss = replica.gradients(
                    Models.images(config, IMAGES, 1), Models.keys(IMAGES, 1), Models.floats(replica.gradientFloats()));
            assertEquals(IMAGES * 15, loss.patches());
        }
    }

    @Test
    void maskedObjectiveCountsItsShareOfThePatches() {
        for (double ratio : new double[] {0.5, 0.75}) {
            Objective masked =
                    new Objective(Kind.MASKED, ratio, Target.NORMALISED, 0, "", Order.RASTER, Attention.PREFIX);
            AimConfig config = model(16, new Head(Head.Kind.MLP, 8, 1), masked);
            try (Replica replica = Aim.replica(config, OPTIMIZER, Compute.REFERENCE)) {
                replica.initialise(1);
                LossSum loss = replica.gradients(
                        Models.images(config, IMAGES, 1),
                        Models.keys(IMAGES, 1),
                        Models.floats(replica.gradientFloats()));
                assertEquals(Math.round(IMAGES * 16 * ratio), loss.patches());
            }
        }
    }

    /** A model that learns nothing but its output bias still sees the tokens' entropy: log of the vocabulary at first. */
    @Test
    void tokenLossOfEvenLogitsIsTheLogarithmOfTheVocabulary() {
        AimConfig config = model(
                16,
                new Head(Head.Kind.NONE, 8, 0),
                objective(Kind.AUTOREGRESSIVE, Target.TOKENS, Order.RASTER, Attention.PREFIX));
        ParameterLayout layout = AimLayout.of(config);
        Snapshot zero = new Snapshot(
                0,
                layout.unflatten(layout.zeros()),
                layout.unflatten(layout.zeros()),
                layout.unflatten(layout.zeros()));
        try (Evaluator evaluator = Aim.evaluator(config, Compute.REFERENCE)) {
            evaluator.load(zero);
            LossSum loss = evaluator.loss(Models.images(config, IMAGES, 1), Models.keys(IMAGES, 1));
            assertEquals(Math.log(VOCABULARY), loss.mean(), 1e-5);
        }
    }

    @Test
    void bucketsBecomeReadyFromTheLastToTheFirst() {
        // Blocks of 7 M values, so that every block is a bucket of its own.
        AimConfig config = new AimConfig(
                28, 14, 1, new AimConfig.Trunk(768, 3, 2), new Head(Head.Kind.NONE, 8, 0), Objective.PAPER, 1e-6);
        try (Replica replica = Aim.replica(config, OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(1);
            List<ByteBuffer> buckets = new ArrayList<>();
            replica.bucketFloats().forEach(floats -> buckets.add(Models.floats(floats)));
            assertTrue(buckets.size() >= 3, "buckets: " + replica.bucketFloats());
            List<Integer> ready = new ArrayList<>();
            replica.gradients(Models.images(config, 1, 1), new long[] {1}, buckets, bucket -> {
                ready.add(bucket);
                for (int i = 0; i < buckets.size(); i++) {
                    assertEquals(
                            i >= bucket, isWritten(buckets.get(i)), "bucket " + i + " when " + bucket + " is ready");
                }
            });
            List<Integer> expected = new ArrayList<>();
            for (int i = buckets.size() - 1; i >= 0; i--) {
                expected.add(i);
            }
            assertEquals(expected, ready);
        }
    }

    private static boolean isWritten(ByteBuffer bucket) {
        for (int i = 0; i < 4096; i++) {
            if (bucket.getFloat(i * Float.BYTES) != 0) {
                return true;
            }
        }
        return false;
    }

    @Test
    void aCodebookOfAnotherSizeIsRefused() {
        Objective wrong = new Objective(
                Kind.AUTOREGRESSIVE,
                0.5,
                Target.TOKENS,
                VOCABULARY + 1,
                directory.resolve("codebook.safetensors").toString(),
                Order.RASTER,
                Attention.PREFIX);
        AimConfig config = model(16, new Head(Head.Kind.NONE, 8, 0), wrong);
        IllegalArgumentException refused =
                assertThrows(IllegalArgumentException.class, () -> Aim.replica(config, OPTIMIZER, Compute.REFERENCE));
        assertTrue(refused.getMessage().contains("has 5 entries"), refused.getMessage());
        assertTrue(refused.getMessage().contains("model.objective.vocabulary is 6"), refused.getMessage());
    }
}
