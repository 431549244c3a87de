package io.rasterflow.model.program;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Tensors over memory that belongs to the caller. */
public final class Tensors {
    private Tensors() {}

    /**
     * A float32 tensor that shares the buffer's memory: what a program writes into it, the caller sees.
     *
     * @param scope owner of the tensor (not of the memory)
     * @param what names the buffer in messages
     * @param buffer direct, native order, from position 0
     */
    public static NDArray wrap(NDManager scope, String what, ByteBuffer buffer, Shape shape) {
        long bytes = shape.size() * Float.BYTES;
        if (!buffer.isDirect() || buffer.order() != ByteOrder.nativeOrder()) {
            throw new IllegalArgumentException(what + " must be a direct buffer in native byte order but is " + buffer);
        }
        if (buffer.capacity() < bytes) {
            throw new IllegalArgumentException(
                    what + " needs " + bytes + " bytes for " + shape + " but holds " + buffer.capacity());
        }
        ByteBuffer exact = buffer.duplicate().clear().limit((int) bytes).slice().order(ByteOrder.nativeOrder());
        return scope.create(exact, shape, DataType.FLOAT32);
    }
}
