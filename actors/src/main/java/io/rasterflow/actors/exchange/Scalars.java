package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;

/**
 * What a rank tells everybody once per step besides gradients.
 *
 * <pre>
 *   on the wire, big-endian, the second part once for every micro-batch:
 *   | signals i32 | lossSum f64 | patches i64 | images i32 | squaredNorm f64 | ...
 * </pre>
 *
 * @param signals bits that the rank's process has set since its last step
 * @param run one element per micro-batch of the rank, in index order
 */
record Scalars(int signals, LossCounts[] run) {

    private static final int COUNTS_BYTES = 28;

    /** Encoded length for so many micro-batches. */
    static int bytes(int microBatches) {
        return Math.addExact(Integer.BYTES, Math.multiplyExact(microBatches, COUNTS_BYTES));
    }

    ByteBuffer encode() {
        ByteBuffer out = ByteBuffer.allocate(bytes(run.length)).putInt(signals);
        for (LossCounts counts : run) {
            out.putDouble(counts.lossSum())
                    .putLong(counts.patches())
                    .putInt(counts.images())
                    .putDouble(counts.squaredNorm());
        }
        return out.flip();
    }

    static Scalars decode(ByteBuffer in) {
        int signals = in.getInt();
        LossCounts[] run = new LossCounts[in.remaining() / COUNTS_BYTES];
        for (int i = 0; i < run.length; i++) {
            run[i] = new LossCounts(in.getDouble(), in.getLong(), in.getInt(), in.getDouble());
        }
        return new Scalars(signals, run);
    }
}
