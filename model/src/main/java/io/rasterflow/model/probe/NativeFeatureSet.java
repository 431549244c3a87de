package io.rasterflow.model.probe;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.program.Engines;
import java.util.Arrays;

/** {@link FeatureSet} in one native tensor (capacity, N, D) float32, filled from the front. */
public final class NativeFeatureSet implements FeatureSet {
    private final NDManager scope;
    private final NDArray features;
    private final int[] labels;
    private final int lastBlocks;
    private int size;

    /**
     * @param capacity images
     * @param patches N
     * @param dim D
     * @param lastBlocks how many block outputs each feature is the mean of
     */
    public NativeFeatureSet(int capacity, int patches, int dim, int lastBlocks) {
        if (capacity < 1 || lastBlocks < 1) {
            throw new IllegalArgumentException(
                    "a feature set needs room for at least one image and features of at least" + " one block, not "
                            + capacity + " and " + lastBlocks);
        }
        this.lastBlocks = lastBlocks;
        labels = new int[capacity];
        scope = Engines.newScope();
        features = scope.create(new Shape(capacity, patches, dim), DataType.FLOAT32);
    }

    /** The implementation that this module's evaluators fill. */
    public static NativeFeatureSet of(FeatureSet set) {
        if (set instanceof NativeFeatureSet known) {
            return known;
        }
        throw new IllegalArgumentException("a feature set must come from an evaluator's newFeatureSet but is " + set);
    }

    /** Appends the labels of the next images and returns the index of the first of them. */
    public int reserve(int[] next) {
        if (size + next.length > labels.length) {
            throw new IllegalArgumentException("the feature set holds " + labels.length + " images, of which " + size
                    + " are taken; " + next.length + " more do not fit");
        }
        int start = size;
        System.arraycopy(next, 0, labels, start, next.length);
        size += next.length;
        return start;
    }

    /** (capacity, N, D); the first {@link #size()} images are valid. */
    public NDArray features() {
        return features;
    }

    /** How many block outputs each feature is the mean of. */
    public int lastBlocks() {
        return lastBlocks;
    }

    long[] labels() {
        return Arrays.stream(labels, 0, size).asLongStream().toArray();
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public void close() {
        scope.close();
    }
}
