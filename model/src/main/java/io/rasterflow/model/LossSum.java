package io.rasterflow.model;

/**
 * A loss that can still be added: the sum of per-patch means and the number of patches that were counted.
 *
 * @param sum sum over the counted patches of each patch's mean squared error
 * @param patches how many patches were counted
 */
public record LossSum(double sum, long patches) {

    public static final LossSum ZERO = new LossSum(0, 0);

    public LossSum plus(LossSum other) {
        return new LossSum(sum + other.sum, patches + other.patches);
    }

    public double mean() {
        return sum / patches;
    }
}
