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
    private final ByteBuffer[] staging;
    private final IntBuffer[] packed;
    private final IntBuffer[] sources;
    private final ByteBuffer sum;

    NarrowSum(ReductionPlan plan, Slices slices, int rank) {
        this.plan = plan;
        this.slices = slices;
        this.rank = rank;
        this.chunkBytes = Bf16.bytes(slices.chunkFloats());
        this.staging = new ByteBuffer[plan.slots().size()];
        this.packed = new IntBuffer[plan.slots().size()];
        this.sources = new IntBuffer[plan.slots().size()];
        this.sum = allocate();
    }

    /** Arrays of one thread for a block of either half, and memory by way of which integers become floats of their bits. */
    private static final class Scratch {
        private final int[] low = new int[Bf16.BLOCK];
        private final int[] high = new int[Bf16.BLOCK];
        private final ByteBuffer memory =
                ByteBuffer.allocateDirect(Bf16.BLOCK * Integer.BYTES).order(ByteOrder.nativeOrder());
        private final IntBuffer bits = memory.asIntBuffer();
        private final FloatBuffer floats = memory.asFloatBuffer();
        private float[][] lowStack = new float[0][];
        private float[][] highStack = new float[0][];

        private void grow(int depth) {
            if (lowStack.length < depth) {
                lowStack = new float[depth][Bf16.BLOCK];
                highStack = new float[depth][Bf16.BLOCK];
            }
        }

        private void toFloats(int[] from, float[] to, int length) {
            bits.put(0, from, 0, length);
            floats.get(0, to, 0, length);
        }

        private void toBits(float[] from, int[] to, int length) {
            floats.put(0, from, 0, length);
            bits.get(0, to, 0, length);
        }
    }

    @Override
    public ByteBuffer staging(int slot, int chunk) {
        if (staging[slot] == null) {
            staging[slot] = allocate();
            packed[slot] = staging[slot].order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        }
        return chunk(staging[slot], chunk);
    }

    @Override
    public void source(int slot, ByteBuffer slice) {
        sources[slot] = slice.asIntBuffer();
    }

    @Override
    public ByteBuffer wire(int chunk, ByteBuffer own) {
        return chunk(sum, chunk);
    }

    /** Packed chunks of the whole slice. */
    private ByteBuffer allocate() {
        return FloatSums.allocate(slices.chunks(rank) * chunkBytes / Float.BYTES);
    }

    private ByteBuffer chunk(ByteBuffer slice, int chunk) {
        return slice.slice(chunk * chunkBytes, Bf16.bytes(slices.chunkLength(rank, chunk)));
    }

    @Override
    public void add(int chunk, ByteBuffer own) {
        int from = chunk * slices.chunkFloats();
        int floats = slices.chunkLength(rank, chunk);
        IntBuffer wire = chunk(sum, chunk).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        IntBuffer result = FloatSums.view(own, from, floats).asIntBuffer();
        Scratch scratch = SCRATCH.get();
        scratch.grow(plan.depth());
        int half = (floats + 1) / 2;
        for (int start = 0; start < half; start += Bf16.BLOCK) {
            int length = Math.min(Bf16.BLOCK, half - start);
            int upper = Math.min(length, floats - half - start);
            int top = 0;
            for (int operation : plan.program()) {
                if (operation == ReductionPlan.ADD) {
                    top--;
                    FloatSums.add(scratch.lowStack[top - 1], scratch.lowStack[top], length);
                    FloatSums.add(scratch.highStack[top - 1], scratch.highStack[top], length);
                } else {
                    if (packed[operation] != null) {
                        packed[operation].get(chunk * chunkBytes / Integer.BYTES + start, scratch.low, 0, length);
                        Bf16.unpack(scratch.low, scratch.high, length);
                    } else {
                        scratch.high[length - 1] = 0;
                        sources[operation].get(from + start, scratch.low, 0, length);
                        sources[operation].get(from + half + start, scratch.high, 0, upper);
                        Bf16.round(scratch.low, length);
                        Bf16.round(scratch.high, length);
                    }
                    scratch.toFloats(scratch.low, scratch.lowStack[top], length);
                    scratch.toFloats(scratch.high, scratch.highStack[top], length);
                    top++;
                }
            }
            scratch.toBits(scratch.lowStack[0], scratch.low, length);
            scratch.toBits(scratch.highStack[0], scratch.high, length);
            Bf16.round(scratch.low, length);
            Bf16.round(scratch.high, length);
            result.put(start, scratch.low, 0, length);
            result.put(half + start, scratch.high, 0, upper);
            Bf16.pack(scratch.low, scratch.high, length);
            wire.put(start, scratch.low, 0, length);
        }
    }
}
