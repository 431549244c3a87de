package io.rasterflow.tests.model;

import static io.rasterflow.tests.model.Models.SMALL;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Evaluator;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.checkpoint.TrainingState;
import io.rasterflow.model.checkpoint.WeightsHash;
import io.rasterflow.model.optimizer.OptimizerConfig;
import io.rasterflow.model.optimizer.WeightAverage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The moving average of the weights: its formula, and its way through snapshots and checkpoints. */
class WeightAverageTest {

    private static final double DECAY = 0.3;
    private static final OptimizerConfig AVERAGING = new OptimizerConfig(0.9, 0.95, 1e-8, 0.05, 1.0, DECAY);
    private static final String NAME = "trunk.blocks.0.attn.qkv.weight";

    @TempDir
    Path run;

    private static Replica replica(OptimizerConfig optimizer) {
        return Aim.replica(SMALL, optimizer, Compute.REFERENCE);
    }

    private static void train(Replica replica, int from, int to) {
        ByteBuffer gradient = Models.floats(replica.gradientFloats());
        for (int step = from; step < to; step++) {
            LossSum loss = replica.gradients(Models.images(SMALL, 4, step), Models.keys(4, step), gradient);
            replica.update(gradient, loss.patches(), 1e-2);
        }
    }

    private static float[] values(Snapshot snapshot, boolean average) {
        var tensor = (average ? snapshot.average() : snapshot.weights()).get(NAME);
        float[] values = new float[tensor.values().limit()];
        tensor.values().duplicate().rewind().get(values);
        return values;
    }

    @Test
    void followsItsFormula() {
        try (Replica replica = replica(AVERAGING)) {
            replica.initialise(1);
            Snapshot start = replica.snapshot();
            assertEquals(WeightsHash.sha256(start.weights()), WeightsHash.sha256(start.average()));
            float[] expected = values(start, true);
            for (int step = 0; step < 4; step++) {
                train(replica, step, step + 1);
                float[] weights = values(replica.snapshot(), false);
                double decay = Math.min(DECAY, (2.0 + step) / (11.0 + step));
                assertEquals(decay, WeightAverage.decayAt(DECAY, step + 1), 0.0);
                for (int i = 0; i < expected.length; i++) {
                    expected[i] += (float) ((1 - decay) * (weights[i] - expected[i]));
                }
            }
            float[] average = values(replica.snapshot(), true);
            float[] weights = values(replica.snapshot(), false);
            double apart = 0;
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], average[i], 1e-6, "value " + i);
                apart = Math.max(apart, Math.abs(weights[i] - average[i]));
            }
            assertTrue(apart > 1e-4, "the average is no average: " + apart);
        }
    }

    @Test
    void averagingChangesNoWeight() {
        String[] hashes = new String[2];
        for (int i = 0; i < 2; i++) {
            try (Replica replica = replica(i == 0 ? AVERAGING : Models.OPTIMIZER)) {
                replica.initialise(1);
                train(replica, 0, 3);
                hashes[i] = Models.hash(replica.snapshot());
                assertEquals(i == 0, replica.snapshot().averaged());
            }
        }
        assertEquals(hashes[0], hashes[1]);
    }

    @Test
    void aCheckpointRestoresItBitForBit() throws IOException {
        Path directory;
        String expected;
        String evaluated;
        try (Replica replica = replica(AVERAGING)) {
            replica.initialise(1);
            train(replica, 0, 3);
            directory = Checkpoint.write(run, replica.snapshot(), state(replica.snapshot()));
            evaluated = WeightsHash.sha256(replica.snapshot().average());
            train(replica, 3, 6);
            expected = WeightsHash.sha256(replica.snapshot().average());
        }
        Checkpoint.Contents contents = Checkpoint.read(directory);
        assertEquals(evaluated, contents.state().emaSha256());
        assertEquals(
                evaluated, WeightsHash.sha256(contents.snapshot().withAverage().weights()));
        try (Replica replica = replica(AVERAGING)) {
            replica.restore(contents.snapshot());
            train(replica, 3, 6);
            assertEquals(expected, WeightsHash.sha256(replica.snapshot().average()));
        }
        try (Replica replica = replica(Models.OPTIMIZER)) {
            replica.restore(contents.snapshot());
            assertFalse(replica.snapshot().averaged(), "an average that is no longer kept is left behind");
        }
    }

    @Test
    void weightsWithoutAnAverageAreWhereOneBegins() {
        try (Replica plain = replica(Models.OPTIMIZER);
                Replica replica = replica(AVERAGING)) {
            plain.initialise(1);
            train(plain, 0, 2);
            assertThrows(IllegalStateException.class, () -> plain.snapshot().withAverage());
            replica.restore(plain.snapshot());
            assertEquals(
                    WeightsHash.sha256(plain.snapshot().weights()),
                    WeightsHash.sha256(replica.snapshot().average()));
        }
    }

    @Test
    void anAlteredAverageIsNoticedAndAMissingOneToo() throws IOException {
        Path directory;
        try (Replica replica = replica(AVERAGING)) {
            replica.initialise(1);
            directory = Checkpoint.write(run, replica.snapshot(), state(replica.snapshot()));
        }
        Path file = directory.resolve("ema.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length - 1] ^= 1;
        Files.write(file, bytes);
        IOException altered = assertThrows(IOException.class, () -> Checkpoint.read(directory));
        assertTrue(altered.getMessage().contains("ema.safetensors"), altered.getMessage());
        assertTrue(altered.getMessage().contains("SHA-256"), altered.getMessage());
        Files.delete(file);
        IOException missing = assertThrows(IOException.class, () -> Checkpoint.read(directory));
        assertTrue(missing.getMessage().contains("ema.safetensors"), missing.getMessage());
    }

    @Test
    void evaluationTakesTheAverageWhenToldTo() {
        try (Replica replica = replica(AVERAGING);
                Evaluator evaluator = Aim.evaluator(SMALL, Compute.REFERENCE)) {
            replica.initialise(1);
            train(replica, 0, 5);
            Snapshot snapshot = replica.snapshot();
            ByteBuffer images = Models.images(SMALL, 8, 77);
            evaluator.load(snapshot);
            double weights = evaluator.loss(images, Models.keys(8, 77)).mean();
            evaluator.load(snapshot.withAverage());
            double average = evaluator.loss(images, Models.keys(8, 77)).mean();
            assertNotEquals(weights, average);
        }
    }

    private static TrainingState state(Snapshot snapshot) {
        return new TrainingState(
                snapshot.step(),
                0,
                snapshot.step() * 4,
                1,
                1,
                0.5,
                Double.NaN,
                WeightsHash.sha256(snapshot.weights()),
                WeightsHash.sha256(snapshot.average()),
                "");
    }
}
