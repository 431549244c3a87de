package io.rasterflow.model.checkpoint;

import java.util.Collections;
import java.util.SortedMap;

/**
 * Weights and AdamW moments at one step, copied out of a replica; immutable by convention.
 *
 * @param step optimizer steps taken
 * @param weights by checkpoint name (ml-aim trunk names, pixel head under {@code head.*})
 * @param firstMoments same names; empty where only weights matter
 * @param secondMoments same names; empty where only weights matter
 * @param average exponential moving average of the weights, same names; empty where there is none
 */
public record Snapshot(
        long step,
        SortedMap<String, Tensor> weights,
        SortedMap<String, Tensor> firstMoments,
        SortedMap<String, Tensor> secondMoments,
        SortedMap<String, Tensor> average) {

    /** Without an average. */
    public Snapshot(
            long step,
            SortedMap<String, Tensor> weights,
            SortedMap<String, Tensor> firstMoments,
            SortedMap<String, Tensor> secondMoments) {
        this(step, weights, firstMoments, secondMoments, Collections.emptySortedMap());
    }

    /** Whether there is an average of the weights. */
    public boolean averaged() {
        return !average.isEmpty();
    }

    /**
     * The same step with the average in the place of the weights, for evaluation.
     *
     * @throws IllegalStateException if there is none
     */
    public Snapshot withAverage() {
        if (!averaged()) {
            throw new IllegalStateException("step " + step + " has no averaged weights; train with optimizer.ema");
        }
        return new Snapshot(step, average, firstMoments, secondMoments, average);
    }
}
