package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * bf16 on the wire: every addend counts as if it had travelled, and so does the sum. The result depends on the world
 * size, but not on who owns it or which ranks share a process.
 *
 * <p>What has come stays packed until it is added, and the sum is packed while it is at hand: the two halves that share
 * words (see {@link Bf16}) pass block by block side by side through arrays that stay in the first-level cache.
 */
final class NarrowSum implements SliceSum {

    private static final ThreadLocal<Scratch> SCRATCH = ThreadLocal.withInitial(Scratch::new);

    private final ReductionPlan plan;
    private final Slices slices;
    private final int rank;
    private final int chunkBytes;
    private final Staging.Slice staged;
    /** By slot; null for what comes over a socket. */
    private final FloatBuffer[] sources;

    private final ByteBuffer sum;

    NarrowSum(ReductionPlan plan, Slices slices, int rank, Staging staging) {
        this.plan = plan;
        this.slices = slices;
        this.rank = rank;
        this.chunkBytes = Bf16.bytes(slices.chunkFloats());
        this.staged = staging.new Slice(plan.slots().size(), slices.chunks(rank));
        this.sources = new FloatBuffer[plan.slots().size()];
        // Packed chunks of the whole slice.
        this.sum = FloatSums.allocate(slices.chunks(rank) * chunkBytes / Float.BYTES);
    }

    /** Arrays of one thread for a block: values of either half by depth, and the words that halves share. */
    private static final class Scratch {
        private final int[] words = new int[Bf16.BLOCK];
        private float[][] low = new float[0][];
        private float[][] high = new float[0][];

        private Scratch grown(int depth) {
            if (low.length < depth) {
                low = new float[depth][Bf16.BLOCK];
                high = new float[depth][Bf16.BLOCK];
            }
            return this;
        }
    }

    @Override
    public ByteBuffer staging(int slot, int chunk) {
        return staged.place(slot, chunk).slice(0, Bf16.bytes(slices.chunkLength(rank, chunk)));
    }

    @Override
    public void source(int slot, ByteBuffer slice) {
        sources[slot] = slice.asFloatBuffer();
    }

    @Override
    public ByteBuffer wire(int chunk, ByteBuffer own) {
        return chunk(sum, chunk);
    }

    @Override
    public void release(int chunk) {
        staged.release(chunk);
    }

    private ByteBuffer chunk(ByteBuffer slice, int chunk) {
        return slice.slice(chunk * chunkBytes, Bf16.bytes(slices.chunkLength(rank, chunk)));
    }

    @Override
    public void add(int chunk, ByteBuffer own) {
        int from = chunk * slices.chunkFloats();
        int floats = slices.chunkLength(rank, chunk);
        IntBuffer[] packed = new IntBuffer[sources.length];
        for (int slot = 0; slot < packed.length; slot++) {
            ByteBuffer come = staged.at(slot, chunk);
            packed[slot] =
                    come == null ? null : come.order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        }
        IntBuffer wire = wire(chunk, own).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        FloatBuffer result = FloatSums.view(own, from, floats).asFloatBuffer();
        Scratch scratch = SCRATCH.get().grown(plan.depth());
        int half = (floats + 1) / 2;
        for (int start = 0; start < half; start += Bf16.BLOCK) {
            int length = Math.min(Bf16.BLOCK, half - start);
            int upper = Math.min(length, floats - half - start);
            int top = 0;
            for (int operation : plan.program()) {
                if (operation == ReductionPlan.ADD) {
                    top--;
                    FloatSums.add(scratch.low[top - 1], scratch.low[top], length);
                    FloatSums.add(scratch.high[top - 1], scratch.high[top], length);
                } else {
                    float[] low = scratch.low[top];
                    float[] high = scratch.high[top];
                    if (packed[operation] != null) {
                        packed[operation].get(start, scratch.words, 0, length);
                        Bf16.unpack(scratch.words, low, high, length);
                    } else {
                        high[length - 1] = 0;
                        sources[operation].get(from + start, low, 0, length);
                        sources[operation].get(from + half + start, high, 0, upper);
                        Bf16.round(low, length);
                        Bf16.round(high, length);
                    }
                    top++;
                }
            }
            Bf16.pack(scratch.low[0], scratch.high[0], scratch.words, length);
            wire.put(start, scratch.words, 0, length);
            Bf16.unpack(scratch.words, scratch.low[0], scratch.high[0], length);
            result.put(start, scratch.low[0], 0, length);
            result.put(half + start, scratch.high[0], 0, upper);
        }
    }
}
