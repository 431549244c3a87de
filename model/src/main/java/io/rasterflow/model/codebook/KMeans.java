package io.rasterflow.model.codebook;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Program;
import io.rasterflow.model.program.ProgramArchive;
import io.rasterflow.model.program.Tensors;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * K-means over the patches of a bounded sample of images: k-means++ and Lloyd's iterations over all of them. A pure function
 * of the images, the size, the iterations and the seed. Confined to one thread; {@code kmeans.py} holds the formulas.
 */
public final class KMeans implements AutoCloseable {
    private static final String LIBRARY = "kmeans";

    /** The first centroids are drawn from so many patches each: enough to be close to drawing from all. */
    private static final int SAMPLE_PER_CENTROID = 32;

    /** An iteration that gains less than this part of the distortion is the last. */
    private static final double LEAST_GAIN = 1e-5;

    /** Patches are kept in memory. */
    private static final long MAX_BYTES = 8L << 30;

    private final PatchGrid grid;
    private final Program program;
    private final NDManager scope;
    private final NDArray patches;
    private final long capacity;
    private long images;

    /** Is told each iteration, counted from 1, the distortion before it, and how many centroids had no patch. */
    public interface Listener {
        void onIteration(int iteration, double distortion, int reseeded);
    }

    /**
     * @param grid how images are cut
     * @param capacity images
     */
    public KMeans(PatchGrid grid, long capacity) {
        long rows = Math.multiplyExact(capacity, grid.patches());
        long bytes = Math.multiplyExact(rows, (long) grid.patchValues() * Float.BYTES);
        if (capacity < 1 || bytes > MAX_BYTES) {
            throw new IllegalArgumentException("the patches of " + capacity + " images take " + bytes
                    + " bytes, but must take between 1 and " + MAX_BYTES + "; choose another --images");
        }
        this.grid = grid;
        this.capacity = capacity;
        scope = Engines.newScope();
        patches = scope.zeros(new Shape(rows, grid.patchValues()), DataType.FLOAT32);
        String source = ProgramArchive.source(KMeans.class, "kmeans.py");
        program = Program.load(
                LIBRARY, "KMeans", Map.of(LIBRARY, source), Map.of("grid", grid.imageSize() / grid.patchSize()));
    }

    /** Images that have been taken. */
    public long images() {
        return images;
    }

    /**
     * Takes the patches of the first {@code count} images, as far as there is room.
     *
     * @param buffer (B, C, H, W) float32, direct, native order
     */
    public void add(ByteBuffer buffer, int count) {
        int taken = (int) Math.min(count, capacity - images);
        if (taken < 1) {
            return;
        }
        try (NDManager call = scope.newSubManager()) {
            Shape shape = new Shape(taken, grid.channels(), grid.imageSize(), grid.imageSize());
            NDArray batch = Tensors.wrap(call, "images", buffer, 0, shape);
            program.call(call, "patches", batch, call.create(images * grid.patches()), patches);
        }
        images += taken;
    }

    /**
     * @param size K
     * @param iterations at most
     */
    public Codebook train(int size, int iterations, long seed, Listener listener) {
        long rows = images * grid.patches();
        if (size < 2 || size > rows) {
            throw new IllegalArgumentException("a codebook must have between 2 entries and one per patch (" + rows
                    + " of " + images + " images), but --size is " + size);
        }
        if (iterations < 1) {
            throw new IllegalArgumentException("--iterations must be at least 1 but is " + iterations);
        }
        try (NDManager run = scope.newSubManager()) {
            NDArray taken = patches.get("0:" + rows);
            taken.attach(run);
            NDArray centroids = seeds(run, taken, rows, size, new SplittableRandom(seed));
            double distortion = Double.POSITIVE_INFINITY;
            for (int i = 1; i <= iterations; i++) {
                double[] result = iterate(run, taken, centroids);
                listener.onIteration(i, result[0], (int) result[1]);
                boolean settled = result[1] == 0 && result[0] >= distortion * (1 - LEAST_GAIN);
                distortion = result[0];
                if (settled) {
                    break;
                }
            }
            NDArray kept = centroids.duplicate();
            double last = iterate(run, taken, centroids)[0];
            FloatBuffer values = FloatBuffer.wrap(kept.toFloatArray());
            return new Codebook(values, size, grid.patchSize(), grid.channels(), images, seed, last);
        }
    }

    private double[] iterate(NDManager run, NDArray taken, NDArray centroids) {
        try (NDManager call = run.newSubManager()) {
            return program.call(call, "iterate", taken, centroids)
                    .singletonOrThrow()
                    .toDoubleArray();
        }
    }

    /** First centroids from evenly spread patches. */
    private NDArray seeds(NDManager run, NDArray taken, long rows, int size, SplittableRandom random) {
        double[] uniform = new double[size];
        for (int i = 0; i < size; i++) {
            uniform[i] = (random.nextLong() >>> 11) * 0x1p-53;
        }
        int sample = (int) Math.min(rows, (long) SAMPLE_PER_CENTROID * size);
        long[] index = new long[sample];
        for (int i = 0; i < sample; i++) {
            index[i] = i * rows / sample;
        }
        try (NDManager call = run.newSubManager()) {
            NDArray from = taken.get(call.create(index));
            from.attach(call);
            NDArray chosen =
                    program.call(call, "seeds", from, call.create(uniform)).singletonOrThrow();
            chosen.attach(run);
            return chosen;
        }
    }

    @Override
    public void close() {
        program.close();
        scope.close();
    }
}
