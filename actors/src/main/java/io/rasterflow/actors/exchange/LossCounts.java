package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.ReductionTree.Span;
import java.nio.ByteBuffer;

/**
 * The scalars of one micro-batch, or of a node of the tree.
 *
 * <pre>
 *   on the wire, big-endian:  | lossSum f64 | patches i64 | images i32 |
 * </pre>
 */
record LossCounts(double lossSum, long patches, int images, boolean finite) {

    static final int BYTES = 20;

    static LossCounts of(double lossSum, long patches, int images) {
        return new LossCounts(lossSum, patches, images, Double.isFinite(lossSum));
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
                left.finite && right.finite);
    }

    static ByteBuffer encode(LossCounts[] run) {
        ByteBuffer out = ByteBuffer.allocate(run.length * BYTES);
        for (LossCounts counts : run) {
            out.putDouble(counts.lossSum).putLong(counts.patches).putInt(counts.images);
        }
        return out.flip();
    }

    static LossCounts[] decode(ByteBuffer in) {
        LossCounts[] run = new LossCounts[in.remaining() / BYTES];
        for (int i = 0; i < run.length; i++) {
            run[i] = of(in.getDouble(), in.getLong(), in.getInt());
        }
        return run;
    }
}
