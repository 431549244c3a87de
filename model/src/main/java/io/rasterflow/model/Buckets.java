package io.rasterflow.model;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Flat float32 buckets side by side in one buffer. */
public final class Buckets {
    private Buckets() {}

    /**
     * Views of the buckets.
     *
     * @param whole direct, of at least the sum of the lengths; position and limit are ignored
     * @param floats length of every bucket
     */
    public static List<ByteBuffer> of(ByteBuffer whole, List<Integer> floats) {
        List<ByteBuffer> buckets = new ArrayList<>(floats.size());
        int start = 0;
        for (int length : floats) {
            int bytes = length * Float.BYTES;
            if (start + bytes > whole.capacity()) {
                throw new IllegalArgumentException("gradientSum needs more than its " + whole.capacity() + " bytes");
            }
            buckets.add(whole.slice(start, bytes).order(whole.order()));
            start += bytes;
        }
        return buckets;
    }
}
