package io.rasterflow.model.checkpoint;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;

/** How a file stores the values of a tensor, by the names that safetensors gives them. */
public enum ElementType {
    F64(8, true),
    F32(4, true),
    F16(2, true),
    BF16(2, true),
    I64(8, false),
    U64(8, false),
    I32(4, false),
    U32(4, false),
    I16(2, false),
    U16(2, false),
    I8(1, false),
    U8(1, false),
    BOOL(1, false);

    private final int bytes;
    private final boolean floating;

    ElementType(int bytes, boolean floating) {
        this.bytes = bytes;
        this.floating = floating;
    }

    /** The type of that name, if it is one that is known here. */
    public static Optional<ElementType> of(String name) {
        return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
    }

    /** Bytes of one value. */
    public int bytes() {
        return bytes;
    }

    /** Whether values of this type can be read as float32. */
    public boolean floating() {
        return floating;
    }

    /**
     * The values as float32: a view of F32, a copy of the others. What float32 cannot hold becomes infinite.
     *
     * @param little little-endian values
     */
    public FloatBuffer floats(ByteBuffer little) {
        if (this == F32) {
            return little.asFloatBuffer();
        }
        float[] values = new float[little.remaining() / bytes];
        for (int i = 0; i < values.length; i++) {
            values[i] = value(little, little.position() + i * bytes);
        }
        return FloatBuffer.wrap(values);
    }

    /** The value at a byte of a little-endian buffer, as float32. */
    public float value(ByteBuffer little, int at) {
        return switch (this) {
            case F64 -> (float) little.getDouble(at);
            case F32 -> little.getFloat(at);
            case F16 -> half(little.getShort(at));
            case BF16 -> Float.intBitsToFloat(little.getShort(at) << 16);
            default -> throw new IllegalArgumentException(this + " is no floating-point type");
        };
    }

    /** IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
    private static float half(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = (bits >> 10) & 0x1F;
        int fraction = bits & 0x3FF;
        if (exponent == 0x1F) {
            return Float.intBitsToFloat(sign | 0x7F800000 | fraction << 13);
        }
        if (exponent == 0) {
            float magnitude = fraction * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        return Float.intBitsToFloat(sign | (exponent + 112) << 23 | fraction << 13);
    }
}
