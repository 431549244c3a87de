package io.rasterflow.model.probe;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.program.Engines;
import java.util.Arrays;

/** {@link FeatureSet} in one native tensor (capacity, N, D), or (capacity, D), float32, filled from the front. */
public final class NativeFeatureSet implements FeatureSet {
    private final NDManager scope;
    private final NDArray features;
    private final int[] labels;
    private final Blocks blocks;
    private int size;

    /**
     * @param capacity images
     * @param blocks whose outputs each feature is the mean of
     * @param shape of the features of one image: (N, D), or (D) for their mean over the patches
     */
    public NativeFeatureSet(int capacity, Blocks blocks, Shape shape) {
        if (capacity < 1) {
            throw new IllegalArgumentException("a feature set needs room for at least one image, not " + capacity);
        }
        this.blocks = blocks;
        labels = new int[capacity];
        scope = Engines.newScope();
        features = scope.create(new Shape(capacity).addAll(shape), DataType.FLOAT32);
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

    /** Writes the features, from whatever device, of the images from {@code first} on. */
    public void put(int first, NDArray values) {
        NDArray here = values.toDevice(features.getDevice(), false);
        features.set(new NDIndex(first + ":" + (first + values.getShape().get(0))), here);
    }

    /** Appends images whose features were made elsewhere: row-major values, as many as the labels need. */
    public void append(float[] values, int[] next) {
        Shape shape = new Shape(next.length).addAll(features.getShape().slice(1));
        if (values.length != shape.size()) {
            throw new IllegalArgumentException("features of " + next.length + " images need " + shape.size()
                    + " values " + shape + " but are " + values.length);
        }
        int first = reserve(next);
        try (NDManager call = scope.newSubManager()) {
            put(first, call.create(values, shape));
        }
    }

    /** (capacity, N, D) or (capacity, D); the first {@link #size()} images are valid. */
    public NDArray features() {
        return features;
    }

    /** Whether it holds means over the patches, (capacity, D). */
    public boolean pooled() {
        return features.getShape().dimension() == 2;
    }

    @Override
    public Blocks blocks() {
        return blocks;
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
