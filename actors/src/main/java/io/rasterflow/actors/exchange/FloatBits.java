package io.rasterflow.actors.exchange;

import java.lang.reflect.Field;
import sun.misc.Unsafe;

/**
 * The bits of floats in an array, as integers: what {@link Float#floatToRawIntBits} and its inverse do one by one, in a form
 * that the just-in-time compilers of JDK 17 and 25 vectorise in a loop. A JDK without these methods of Unsafe needs the two
 * of Float in their place: slower, the same bits.
 */
@SuppressWarnings("removal")
final class FloatBits {

    private static final Unsafe UNSAFE = unsafe();
    private static final long BASE = UNSAFE.arrayBaseOffset(float[].class);

    private FloatBits() {}

    private static Unsafe unsafe() {
        try {
            Field field = Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return (Unsafe) field.get(null);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** No bounds are checked: {@code index} must be one of the array's. */
    static int get(float[] values, int index) {
        return UNSAFE.getInt(values, BASE + 4L * index);
    }

    /** No bounds are checked: {@code index} must be one of the array's. */
    static void put(float[] values, int index, int bits) {
        UNSAFE.putInt(values, BASE + 4L * index, bits);
    }
}
