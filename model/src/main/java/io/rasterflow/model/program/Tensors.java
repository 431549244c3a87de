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
     * @param buffer direct, native order; its position and limit are ignored
     * @param start first float of the tensor in the buffer
     */
    public static NDArray wrap(NDManager scope, String what, ByteBuffer buffer, long start, Shape shape) {
        if (!buffer.isDirect() || buffer.order() != ByteOrder.nativeOrder()) {
            throw new IllegalArgumentException(what + " must be a direct buffer in native byte order but is " + buffer);
        }
        long end = (start + shape.size()) * Float.BYTES;
        if (buffer.capacity() < end) {
            throw new IllegalArgumentException(
                    what + " needs " + end + " bytes up to " + shape + " but holds " + buffer.capacity());
        }
        int begin = (int) (start * Float.BYTES);
        ByteBuffer exact = buffer.slice(begin, (int) end - begin).order(ByteOrder.nativeOrder());
        return scope.create(exact, shape, DataType.FLOAT32);
    }
}
