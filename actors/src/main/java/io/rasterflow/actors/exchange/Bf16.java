package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;

/**
 * Float32 as bfloat16: the upper half of the bits, rounded to nearest, ties to even; a NaN stays one.
 *
 * <p>On the wire two values share a little-endian word, and not two neighbours but value i and value i + h, h = ⌈n/2⌉: so
 * all loops run over arrays of integers with unit stride, which the just-in-time compiler vectorises.
 *
 * <pre>
 *   values   v0 v1 ... v(h-1) | vh ... v(n-1)
 *   word i   | v(i+h), or 0 : 16 | vi : 16 |        4·h bytes
 * </pre>
 */
final class Bf16 {

    static final int BLOCK = 1024;

    /** Per thread: a block of either half. */
    private static final ThreadLocal<int[][]> SCRATCH = ThreadLocal.withInitial(() -> new int[2][BLOCK]);

    /** One block per thread. */
    private static final ThreadLocal<ByteBuffer> BITS = ThreadLocal.withInitial(
            () -> ByteBuffer.allocateDirect(BLOCK * Integer.BYTES).order(ByteOrder.nativeOrder()));

    private Bf16() {}

    /** Length of so many values on the wire. */
    static int bytes(int floats) {
        return (floats + 1) / 2 * Integer.BYTES;
    }

    /** Replaces up to {@link #BLOCK} values by what the wire makes of them. */
    static void round(float[] values, int length) {
        // By way of memory: the compiler vectorises no loop that turns floats into their bits.
        ByteBuffer memory = BITS.get();
        int[] bits = SCRATCH.get()[0];
        memory.asFloatBuffer().put(0, values, 0, length);
        memory.asIntBuffer().get(0, bits, 0, length);
        round(bits, length);
        memory.asIntBuffer().put(0, bits, 0, length);
        memory.asFloatBuffer().get(0, values, 0, length);
    }

    /** The same for their bits. */
    static void round(int[] bits, int length) {
        for (int i = 0; i < length; i++) {
            bits[i] = round(bits[i]);
        }
    }

    private static int round(int bits) {
        int nan = (0x7f800000 - (bits & 0x7fffffff)) >> 31;
        int rounded = bits + 0x7fff + (bits >>> 16 & 1);
        return (rounded & ~nan | (bits | 0x00400000) & nan) & 0xffff0000;
    }

    /**
     * Rounds and packs.
     *
     * @param values float32 in native order, from position to limit; the position stays
     * @param wire takes {@link #bytes} from its position; the position stays
     */
    static void encode(ByteBuffer values, ByteBuffer wire) {
        IntBuffer in = values.slice().order(ByteOrder.nativeOrder()).asIntBuffer();
        IntBuffer out = wire.slice().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        int[] low = SCRATCH.get()[0];
        int[] high = SCRATCH.get()[1];
        int half = (in.limit() + 1) / 2;
        for (int start = 0; start < half; start += BLOCK) {
            int length = Math.min(BLOCK, half - start);
            high[length - 1] = 0;
            in.get(start, low, 0, length);
            in.get(half + start, high, 0, Math.min(length, in.limit() - half - start));
            round(low, length);
            round(high, length);
            pack(low, high, length);
            out.put(start, low, 0, length);
        }
    }

    /** Rounded values of both halves become words, which replace those of the lower half. */
    static void pack(int[] low, int[] high, int length) {
        for (int i = 0; i < length; i++) {
            low[i] = low[i] >>> 16 | high[i];
        }
    }

    /** Unpacks {@link #bytes} from the position of {@code wire} into all of {@code values}; positions stay. */
    static void decode(ByteBuffer wire, ByteBuffer values) {
        IntBuffer in = wire.slice().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        IntBuffer out = values.slice().order(ByteOrder.nativeOrder()).asIntBuffer();
        int[] low = SCRATCH.get()[0];
        int[] high = SCRATCH.get()[1];
        int half = (out.limit() + 1) / 2;
        for (int start = 0; start < half; start += BLOCK) {
            int length = Math.min(BLOCK, half - start);
            in.get(start, low, 0, length);
            unpack(low, high, length);
            out.put(start, low, 0, length);
            out.put(half + start, high, 0, Math.min(length, out.limit() - half - start));
        }
    }

    /** Words become the values of both halves; those of the lower half replace them. */
    static void unpack(int[] low, int[] high, int length) {
        for (int i = 0; i < length; i++) {
            high[i] = low[i] & 0xffff0000;
        }
        for (int i = 0; i < length; i++) {
            low[i] = low[i] << 16;
        }
    }
}
