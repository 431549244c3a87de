package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Float32 sums over direct memory. The just-in-time compiler does not vectorise loops over direct buffers on every
 * supported JDK, but it does over arrays: values pass block by block through arrays that stay in the first-level cache.
 */
final class FloatSums {

    /** 8 KiB per array. */
    private static final int BLOCK = Bf16.BLOCK;

    private static final int ALIGNMENT = 64;
    /** Blocks that the lanes of {@link #squares} take in float32. */
    private static final int EMPTY_AFTER = 256;

    private static final ThreadLocal<float[][]> SCRATCH = ThreadLocal.withInitial(() -> new float[2][BLOCK]);

    private FloatSums() {}

    /**
     * A zeroed direct buffer in native order that starts at a cache line. It is freed by the collector, not by hand: a
     * peer of the same process or a late write may still look at it when its exchange has been closed.
     */
    static ByteBuffer allocate(int floats) {
        long bytes = (long) floats * Float.BYTES;
        if (bytes > Integer.MAX_VALUE - 2 * ALIGNMENT) {
            throw new IllegalArgumentException("a gradient of " + floats + " floats does not fit one buffer (2 GiB)");
        }
        ByteBuffer buffer =
                ByteBuffer.allocateDirect((int) bytes + 2 * ALIGNMENT).alignedSlice(ALIGNMENT);
        return buffer.slice(0, (int) bytes).order(ByteOrder.nativeOrder());
    }

    /** A view of {@code floats} values from {@code start}, both in floats; position 0, native order. */
    static ByteBuffer view(ByteBuffer buffer, int start, int floats) {
        return buffer.slice(start * Float.BYTES, floats * Float.BYTES).order(ByteOrder.nativeOrder());
    }

    /** {@code into[i] = into[i] + addend[i]} for all elements. */
    static void add(FloatBuffer into, FloatBuffer addend) {
        add(into, addend, false);
    }

    /** The same with {@code into} as bf16 before and after, if {@code rounded}. */
    static void add(FloatBuffer into, FloatBuffer addend, boolean rounded) {
        float[][] scratch = scratch(2);
        float[] sum = scratch[0];
        float[] other = scratch[1];
        for (int start = 0; start < into.limit(); start += BLOCK) {
            int length = Math.min(BLOCK, into.limit() - start);
            into.get(start, sum, 0, length);
            addend.get(start, other, 0, length);
            if (rounded) {
                Bf16.round(sum, length);
            }
            add(sum, other, length);
            if (rounded) {
                Bf16.round(sum, length);
            }
            into.put(start, sum, 0, length);
        }
    }

    /**
     * The sum of the squares. Each of {@link #BLOCK} lanes adds its share in float32 and is emptied into float64 before
     * rounding could matter; the order depends on the length alone.
     */
    static double squares(FloatBuffer values) {
        float[][] scratch = scratch(2);
        float[] lanes = scratch[0];
        float[] block = scratch[1];
        double sum = 0;
        int filled = 0;
        Arrays.fill(lanes, 0);
        for (int start = 0; start < values.limit(); start += BLOCK) {
            int length = Math.min(BLOCK, values.limit() - start);
            values.get(start, block, 0, length);
            addSquares(lanes, block, length);
            if (++filled == EMPTY_AFTER) {
                sum += empty(lanes);
                filled = 0;
            }
        }
        return sum + empty(lanes);
    }

    private static void addSquares(float[] lanes, float[] block, int length) {
        for (int i = 0; i < length; i++) {
            lanes[i] += block[i] * block[i];
        }
    }

    private static double empty(float[] lanes) {
        double sum = 0;
        for (float lane : lanes) {
            sum += lane;
        }
        Arrays.fill(lanes, 0);
        return sum;
    }

    /**
     * Evaluates a plan's program over one range.
     *
     * @param sources by slot
     * @param target takes as many values as it has
     */
    static void sum(ReductionPlan plan, FloatBuffer[] sources, FloatBuffer target) {
        float[][] stack = scratch(plan.depth());
        for (int done = 0; done < target.limit(); done += BLOCK) {
            int length = Math.min(BLOCK, target.limit() - done);
            int top = 0;
            for (int operation : plan.program()) {
                if (operation == ReductionPlan.ADD) {
                    top--;
                    add(stack[top - 1], stack[top], length);
                } else {
                    sources[operation].get(done, stack[top], 0, length);
                    top++;
                }
            }
            target.put(done, stack[0], 0, length);
        }
    }

    static void add(float[] sum, float[] other, int length) {
        for (int i = 0; i < length; i++) {
            sum[i] += other[i];
        }
    }

    private static float[][] scratch(int depth) {
        float[][] scratch = SCRATCH.get();
        if (scratch.length < depth) {
            scratch = new float[depth][BLOCK];
            SCRATCH.set(scratch);
        }
        return scratch;
    }
}
