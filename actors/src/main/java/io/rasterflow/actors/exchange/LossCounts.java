package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.ReductionTree.Span;
import java.nio.ByteBuffer;

/**
 * The scalars of one micro-batch, or of a node of the tree.
 *
 * <pre>
 *   on the wire, big-endian:  | lossSum f64 | patches i64 | images i32 | squaredNorm f64 |
 * </pre>
 *
 * @param squaredNorm of the gradient of the mean loss: |gradient sum / patches|²; of a node, the sum over its leaves. NaN
 *     where it is not taken
 */
record LossCounts(double lossSum, long patches, int images, double squaredNorm) {

    static final int BYTES = 28;

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

    static ByteBuffer encode(LossCounts[] run) {
        ByteBuffer out = ByteBuffer.allocate(run.length * BYTES);
        for (LossCounts counts : run) {
            out.putDouble(counts.lossSum)
                    .putLong(counts.patches)
                    .putInt(counts.images)
                    .putDouble(counts.squaredNorm);
        }
        return out.flip();
    }

    static LossCounts[] decode(ByteBuffer in) {
        LossCounts[] run = new LossCounts[in.remaining() / BYTES];
        for (int i = 0; i < run.length; i++) {
            run[i] = new LossCounts(in.getDouble(), in.getLong(), in.getInt(), in.getDouble());
        }
        return run;
    }
}
