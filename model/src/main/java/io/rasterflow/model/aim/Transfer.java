package io.rasterflow.model.aim;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.rasterflow.model.program.Engines;
import io.rasterflow.model.program.Tensors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Moves floats between Java arrays and flat tensors, 4 MiB at a time through one buffer. DJL's own way makes a direct
 * buffer as large as the tensor for every call and leaves it to the garbage collector.
 */
final class Transfer implements AutoCloseable {
    private static final int FLOATS = 1 << 20;

    private final AimProgram program;
    private final NDManager host = Engines.newScope(Device.cpu());
    private final ByteBuffer bytes =
            ByteBuffer.allocateDirect(FLOATS * Float.BYTES).order(ByteOrder.nativeOrder());
    private final FloatBuffer floats = bytes.asFloatBuffer();

    Transfer(AimProgram program) {
        this.program = program;
    }

    /** Overwrites values of a tensor (F) on any device, from the one at {@code offset} on. */
    void write(NDArray to, int offset, float[] from) {
        for (int start = 0; start < from.length; start += FLOATS) {
            int count = Math.min(FLOATS, from.length - start);
            floats.put(0, from, start, count);
            move("write", to, offset + start, count);
        }
    }

    /** The values of a tensor (F). */
    float[] read(NDArray from) {
        float[] to = new float[Math.toIntExact(from.size())];
        for (int start = 0; start < to.length; start += FLOATS) {
            int count = Math.min(FLOATS, to.length - start);
            move("read", from, start, count);
            floats.get(0, to, start, count);
        }
        return to;
    }

    private void move(String method, NDArray whole, int start, int count) {
        try (NDManager call = host.newSubManager()) {
            NDArray part = Tensors.wrap(call, "transfer", bytes, 0, new Shape(count));
            program.call(call, method, whole, call.create(start), part);
        }
    }

    @Override
    public void close() {
        host.close();
    }
}
