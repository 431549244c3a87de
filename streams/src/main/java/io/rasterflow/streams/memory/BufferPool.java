package io.rasterflow.streams.memory;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Direct buffers that start on a 64-byte boundary (a cache line, and the widest vector) and are used again and again: as
 * many exist as were ever out at the same time. Safe for use by many threads.
 */
public final class BufferPool {

    private static final int ALIGNMENT = 64;

    private final Map<Integer, Queue<ByteBuffer>> idle = new ConcurrentHashMap<>();
    private final AtomicLong allocated = new AtomicLong();
    private final AtomicLong out = new AtomicLong();

    /** A buffer of exactly {@code bytes} bytes in native order, position 0, content undefined. */
    public ByteBuffer acquire(int bytes) {
        ByteBuffer buffer = idle.computeIfAbsent(bytes, size -> new ConcurrentLinkedQueue<>())
                .poll();
        if (buffer == null) {
            buffer = ByteBuffer.allocateDirect(bytes + ALIGNMENT)
                    .alignedSlice(ALIGNMENT)
                    .slice(0, bytes);
            allocated.incrementAndGet();
        }
        out.incrementAndGet();
        return buffer.clear().order(ByteOrder.nativeOrder());
    }

    /** Takes back a buffer that came from {@link #acquire}; its holder must not touch it any more. */
    public void release(ByteBuffer buffer) {
        out.decrementAndGet();
        idle.get(buffer.capacity()).add(buffer);
    }

    /** Buffers made since the pool exists. */
    public long allocated() {
        return allocated.get();
    }

    /** Buffers that are in use now. */
    public long outstanding() {
        return out.get();
    }
}
