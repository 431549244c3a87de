package io.rasterflow.tests.model;

import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.HeadConfig;
import io.rasterflow.model.probe.KnnConfig;
import io.rasterflow.model.probe.NativeFeatureSet;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;
import java.util.List;
import java.util.Random;

/** Made-up features that the tests of probes share: Gaussian clouds around one centre for each class. */
final class ProbeFeatures {
    static final int DIM = 16;
    static final int PATCHES = 4;
    static final int CLASSES = 6;

    private ProbeFeatures() {}

    static ProbeConfig config(ProbeKind kind, Double... rates) {
        return config(kind, "last1", rates);
    }

    static ProbeConfig config(ProbeKind kind, String layers, Double... rates) {
        return new ProbeConfig(
                kind,
                layers,
                CLASSES,
                List.of(rates),
                0.25,
                1_000_000_000L,
                new HeadConfig(4, 32, 0.1),
                new HeadConfig(10, 32, 0.05),
                new KnnConfig(20, 0.07));
    }

    /**
     * @param spread deviation around the centres, whose values have deviation 1 and are the same for every seed
     * @param shuffled whether the labels say nothing about the features
     */
    static NativeFeatureSet clouds(int images, boolean pooled, double spread, boolean shuffled, long seed) {
        float[][] centres = new float[CLASSES][DIM];
        Random fixed = new Random(42);
        for (float[] centre : centres) {
            for (int d = 0; d < DIM; d++) {
                centre[d] = (float) fixed.nextGaussian();
            }
        }
        Random random = new Random(seed);
        int patches = pooled ? 1 : PATCHES;
        float[] values = new float[images * patches * DIM];
        int[] labels = new int[images];
        for (int i = 0; i < images; i++) {
            int cloud = random.nextInt(CLASSES);
            labels[i] = shuffled ? random.nextInt(CLASSES) : cloud;
            for (int j = 0; j < patches * DIM; j++) {
                values[i * patches * DIM + j] = 3 + centres[cloud][j % DIM] + (float) (spread * random.nextGaussian());
            }
        }
        // Room for one more image: what lies behind the last must not matter.
        NativeFeatureSet set =
                new NativeFeatureSet(images + 1, Blocks.range(0, 0), pooled ? new Shape(DIM) : new Shape(PATCHES, DIM));
        set.append(values, labels);
        return set;
    }
}
