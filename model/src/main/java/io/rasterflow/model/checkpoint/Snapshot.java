package io.rasterflow.model.checkpoint;

import java.util.SortedMap;

/**
 * Weights and AdamW moments at one step, copied out of a replica; immutable by convention.
 *
 * @param step optimizer steps taken
 * @param weights by checkpoint name (ml-aim trunk names, pixel head under {@code head.*})
 * @param firstMoments same names; empty where only weights matter
 * @param secondMoments same names; empty where only weights matter
 */
public record Snapshot(
        long step,
        SortedMap<String, Tensor> weights,
        SortedMap<String, Tensor> firstMoments,
        SortedMap<String, Tensor> secondMoments) {}
