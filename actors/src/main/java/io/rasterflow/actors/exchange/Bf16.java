package io.rasterflow.actors.exchange;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Float32 as bfloat16: the upper half of the bits, rounded to nearest, ties to even; a NaN stays one.
 *
 * <p>On the wire two values share a little-endian word, and not two neighbours but value i and value i + h, h = ⌈n/2⌉: so
 * all loops run over arrays with unit stride, which the just-in-time compiler vectorises.
 *
 * <pre>
 *   values   v0 v1 ... v(h-1) | vh ... v(n-1)
 *   word i   | v(i+h), or 0 : 16 | vi : 16 |        4·h bytes
 * </pre>
 */
final class Bf16 {

    static final int BLOCK = 1024;

    private static final ThreadLocal<Block> SCRATCH = ThreadLocal.withInitial(Block::new);

    private Bf16() {}

    /** Values of either half and the words that they share. */
    private static final class Block {
        private final float[] low = new float[BLOCK];
        private final float[] high = new float[BLOCK];
        private final int[] words = new int[BLOCK];
    }

    /** Length of so many values on the wire. */
    static int bytes(int floats) {
        return (floats + 1) / 2 * Integer.BYTES;
    }

    /** Replaces the first {@code length} values by what the wire makes of them. */
    static void round(float[] values, int length) {
        requireLength(length, values.length);
        for (int i = 0; i < length; i++) {
            FloatBits.put(values, i, round(FloatBits.get(values, i)));
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
        FloatBuffer in = values.slice().order(ByteOrder.nativeOrder()).asFloatBuffer();
        IntBuffer out = wire.slice().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        Block block = SCRATCH.get();
        int half = (in.limit() + 1) / 2;
        for (int start = 0; start < half; start += BLOCK) {
            int length = Math.min(BLOCK, half - start);
            block.high[length - 1] = 0;
            in.get(start, block.low, 0, length);
            in.get(half + start, block.high, 0, Math.min(length, in.limit() - half - start));
            pack(block.low, block.high, block.words, length);
            out.put(start, block.words, 0, length);
        }
    }

    /** Values of both halves are rounded and become words. */
    static void pack(float[] low, float[] high, int[] words, int length) {
        requireLength(length, Math.min(low.length, high.length));
        for (int i = 0; i < length; i++) {
            words[i] = round(FloatBits.get(low, i)) >>> 16 | round(FloatBits.get(high, i));
        }
    }

    /** Unpacks {@link #bytes} from the position of {@code wire} into all of {@code values}; positions stay. */
    static void decode(ByteBuffer wire, ByteBuffer values) {
        IntBuffer in = wire.slice().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer();
        FloatBuffer out = values.slice().order(ByteOrder.nativeOrder()).asFloatBuffer();
        Block block = SCRATCH.get();
        int half = (out.limit() + 1) / 2;
        for (int start = 0; start < half; start += BLOCK) {
            int length = Math.min(BLOCK, half - start);
            in.get(start, block.words, 0, length);
            unpack(block.words, block.low, block.high, length);
            out.put(start, block.low, 0, length);
            out.put(half + start, block.high, 0, Math.min(length, out.limit() - half - start));
        }
    }

    /** Words become the values of both halves. */
    static void unpack(int[] words, float[] low, float[] high, int length) {
        requireLength(length, Math.min(low.length, high.length));
        for (int i = 0; i < length; i++) {
            FloatBits.put(high, i, words[i] & 0xffff0000);
        }
        for (int i = 0; i < length; i++) {
            FloatBits.put(low, i, words[i] << 16);
        }
    }

    private static void requireLength(int length, int capacity) {
        if (length > capacity) {
            throw new IllegalArgumentException(length + " values in an array of " + capacity);
        }
    }
}
