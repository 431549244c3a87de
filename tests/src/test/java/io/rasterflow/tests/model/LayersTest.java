package io.rasterflow.tests.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.aim.AimEvaluator;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.FeatureSet;
import io.rasterflow.model.probe.Layers;
import io.rasterflow.model.probe.NativeFeatureSet;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LayersTest {
    private static final AimConfig DEEP =
            new AimConfig(28, 7, 1, new AimConfig.Trunk(32, 5, 4), new AimConfig.Head(16, 1), 1e-6);

    @ParameterizedTest
    @CsvSource({
        "last6, 24, 2048, 18-23",
        "last3, 4, 128, 1-3",
        "last6, 4, 128, 0-3",
        "last1, 1, 32, 0",
        "best6, 24, 1536, 14-19",
        "best6, 24, 2048, 12-17",
        "best6, 24, 3072, 12-17",
        "best6, 32, 4096, 14-19",
        "best6, 12, 384, 6-8",
        "best6, 4, 128, 2",
        "best6, 1, 32, 0",
        "best6, 40, 512, 20-25",
        "'3-5,7', 8, 64, '3-5,7'",
        "'7, 3-4,4-5', 8, 64, '3-5,7'",
        "2, 4, 64, 2"
    })
    void theTextNamesBlocks(String text, int depth, int dim, String blocks) {
        List<Blocks> resolved = Layers.resolve(text, depth, dim);
        assertEquals(1, resolved.size());
        assertEquals(blocks, resolved.get(0).toString());
    }

    @Test
    void eachIsEveryBlockInTurn() {
        assertEquals(
                List.of("0", "1", "2"),
                Layers.resolve("each", 3, 64).stream().map(Blocks::toString).toList());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "last", "last0", "first3", "3-", "5-3", "1,,2", "-1", "1.5", "best", "Each"})
    void anythingElseIsRefused(String text) {
        Messages.assertRefused("probe.layers must be", () -> Layers.check(text));
    }

    @Test
    void blocksThatTheTrunkLacksAreNamed() {
        Messages.assertRefused("has the blocks 0-3", () -> Layers.resolve("2-4", 4, 64));
    }

    @Test
    void featuresAreTheMeansOfBlockOutputsInOnePass() {
        try (AimEvaluator evaluator = (AimEvaluator) Aim.evaluator(DEEP, Compute.REFERENCE);
                Replica replica = Aim.replica(DEEP, Models.OPTIMIZER, Compute.REFERENCE)) {
            replica.initialise(1);
            evaluator.load(replica.snapshot());
            // More images than one native call takes.
            int images = 70;
            ByteBuffer pixels = Models.images(DEEP, images, 3);
            List<Blocks> layers = new ArrayList<>(evaluator.layers("each"));
            layers.addAll(evaluator.layers("last3"));
            layers.addAll(evaluator.layers("0,2-3"));
            List<FeatureSet> sets = new ArrayList<>();
            for (Blocks blocks : layers) {
                sets.add(evaluator.newFeatureSet(images, blocks, false));
                sets.add(evaluator.newFeatureSet(images, blocks, true));
            }
            evaluator.features(pixels, new int[images], sets);
            List<Tensor> outputs = evaluator.blockOutputs(pixels, images);
            for (FeatureSet set : sets) {
                NativeFeatureSet filled = NativeFeatureSet.of(set);
                float[] expected = mean(outputs, filled.blocks(), filled.pooled());
                assertArrayEquals(expected, filled.features().toFloatArray(), 2e-5f, filled.blocks() + "");
                set.close();
            }
            try (FeatureSet low = evaluator.newFeatureSet(images, Blocks.range(1, 1), false)) {
                evaluator.features(pixels, new int[images], List.of(low));
                assertArrayEquals(
                        mean(outputs, Blocks.range(1, 1), false),
                        NativeFeatureSet.of(low).features().toFloatArray(),
                        2e-5f,
                        "with the blocks above left out");
            }
        }
    }

    private static float[] mean(List<Tensor> outputs, Blocks blocks, boolean pooled) {
        int dim = DEEP.trunk().dim();
        int patches = DEEP.patches();
        int values = outputs.get(0).values().capacity();
        double[] sums = new double[pooled ? values / patches : values];
        for (int block : blocks.indices()) {
            for (int i = 0; i < values; i++) {
                int to = pooled ? i / (patches * dim) * dim + i % dim : i;
                sums[to] += outputs.get(block).values().get(i);
            }
        }
        float[] mean = new float[sums.length];
        for (int i = 0; i < mean.length; i++) {
            mean[i] = (float) (sums[i] / blocks.indices().size() / (pooled ? patches : 1));
        }
        return mean;
    }
}
