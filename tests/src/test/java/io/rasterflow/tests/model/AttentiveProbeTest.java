package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.Models.SMALL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Evaluator;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.FeatureSet;
import io.rasterflow.model.probe.HeadConfig;
import io.rasterflow.model.probe.KnnConfig;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.model.probe.ProbeReport;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AttentiveProbeTest {
    private static final int CLASSES = 4;
    private static final ProbeConfig CONFIG = config(CLASSES, 12, 32, 5e-3);

    private Evaluator evaluator;

    private static ProbeConfig config(int classes, int epochs, int batch, double rate) {
        HeadConfig head = new HeadConfig(epochs, batch, 0.1);
        return new ProbeConfig(
                ProbeKind.ATTENTIVE,
                "last6",
                classes,
                List.of(rate),
                0.1,
                1L << 30,
                head,
                head,
                new KnnConfig(20, 0.07));
    }

    @BeforeEach
    void open() {
        evaluator = Aim.evaluator(SMALL, Compute.REFERENCE);
        try (Replica replica = Aim.replica(SMALL, Models.OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(1);
            evaluator.load(replica.snapshot());
        }
    }

    @AfterEach
    void close() {
        evaluator.close();
    }

    private FeatureSet newFeatureSet(int capacity) {
        return evaluator.newFeatureSet(
                capacity, evaluator.layers(CONFIG.layers()).get(0), false);
    }

    /** Noise with one much brighter quadrant, whose place is the label (or says nothing about it). */
    private FeatureSet quadrants(int count, long seed, boolean informative) {
        Random random = new Random(seed);
        FeatureSet set = newFeatureSet(count);
        for (int start = 0; start < count; start += 50) {
            ByteBuffer images = Models.images(SMALL, 50, random.nextLong());
            int[] labels = new int[50];
            for (int i = 0; i < 50; i++) {
                labels[i] = random.nextInt(CLASSES);
                int place = informative ? labels[i] : random.nextInt(CLASSES);
                for (int pixel = 0; pixel < 28 * 28; pixel++) {
                    int quadrant = (pixel / 28 / 14) * 2 + pixel % 28 / 14;
                    int at = (i * 28 * 28 + pixel) * Float.BYTES;
                    images.putFloat(at, images.getFloat(at) + (quadrant == place ? 3 : 0));
                }
            }
            evaluator.features(images, labels, List.of(set));
        }
        assertEquals(count, set.size());
        return set;
    }

    @Test
    void separableFeaturesAreLearnedAndTheSeedDecidesEverything() {
        try (FeatureSet train = quadrants(600, 1, true);
                FeatureSet validation = quadrants(200, 2, true)) {
            ProbeReport report = evaluator.probe(train, validation, CONFIG, 5);
            assertTrue(report.accuracy() > 0.9, report.toString());
            assertEquals(200, report.validationImages());
            assertEquals(report, evaluator.probe(train, validation, CONFIG, 5));
            assertNotEquals(
                    report.trainLoss(),
                    evaluator.probe(train, validation, CONFIG, 6).trainLoss());
        }
    }

    @Test
    void labelsThatTheImagesDoNotTellStayAtChance() {
        try (FeatureSet train = quadrants(600, 3, false);
                FeatureSet validation = quadrants(400, 4, false)) {
            assertEquals(0.25, evaluator.probe(train, validation, CONFIG, 5).accuracy(), 0.12);
        }
    }

    @Test
    void aSetSmallerThanABatchIsOneStep() {
        try (FeatureSet train = quadrants(50, 5, true)) {
            ProbeConfig large = config(CLASSES, 2, 4096, 1e-3);
            assertEquals(50, evaluator.probe(train, train, large, 1).validationImages());
        }
    }

    @Test
    void wrongUseIsNamed() {
        try (FeatureSet train = quadrants(50, 6, true);
                FeatureSet empty = newFeatureSet(1)) {
            ProbeConfig fewer = config(2, 1, 32, 1e-3);
            Messages.assertRefused("outside 0..1", () -> evaluator.probe(train, train, fewer, 1));
            try (FeatureSet other = evaluator.newFeatureSet(1, Blocks.range(0, 0), false)) {
                evaluator.features(Models.images(SMALL, 1, 1), new int[1], List.of(other));
                Messages.assertRefused("of the blocks 0-1", () -> evaluator.probe(train, other, CONFIG, 1));
            }
            Messages.assertRefused("empty", () -> evaluator.probe(train, empty, CONFIG, 1));
            Messages.assertRefused(
                    "do not fit", () -> evaluator.features(Models.images(SMALL, 2, 1), new int[2], List.of(empty)));
        }
    }

    @Test
    void theValidationLossIsThatOfTheReplica() {
        try (Replica replica = Aim.replica(SMALL, Models.OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(8);
            evaluator.load(replica.snapshot());
            ByteBuffer images = Models.images(SMALL, 16, 1);
            long[] keys = Models.keys(16, 1);
            LossSum trained = replica.gradients(images, keys, Models.floats(replica.gradientFloats()));
            LossSum evaluated = evaluator.loss(images, keys);
            assertEquals(trained.patches(), evaluated.patches());
            assertEquals(trained.sum(), evaluated.sum(), 1e-5 * trained.sum());
        }
    }
}
