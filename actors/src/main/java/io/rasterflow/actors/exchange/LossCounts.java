package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.ReductionTree.Span;

/**
 * The scalars of one micro-batch, or of a node of the tree.
 *
 * @param squaredNorm of the gradient of the mean loss: |gradient sum / patches|²; of a node, the sum over its leaves. NaN
 *     where it is not taken
 */
record LossCounts(double lossSum, long patches, int images, double squaredNorm) {

    boolean finite() {
        return Double.isFinite(lossSum);
    }

    /** The value of a node over micro-batches, in the canonical order. */
    static LossCounts sum(LossCounts[] leaves, Span node) {
        if (node.isLeaf()) {
            return leaves[node.first()];
        }
        LossCounts left = sum(leaves, node.left());
        LossCounts right = sum(leaves, node.right());
        return new LossCounts(
                left.lossSum + right.lossSum,
                left.patches + right.patches,
                left.images + right.images,
                left.squaredNorm + right.squaredNorm);
    }
}
