package io.rasterflow.streams.batch;

import io.rasterflow.streams.memory.BufferPool;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** A batch in a pooled buffer: filled by one decode thread, then read-only. */
final class PooledBatch implements Batch {

    private final BatchRequest request;
    private final BufferPool pool;
    private final ByteBuffer buffer;
    private final int bytes;
    private final int[] labels;
    private final long[] positions;
    private final long[] keys;
    private final List<BadSample> badSamples = new ArrayList<>(0);
    private final AtomicBoolean closed = new AtomicBoolean();
    private long fetchNanos;
    private long decodeNanos;
    private long madeNanos;

    PooledBatch(BatchRequest request, int imageBytes, int capacityImages, BufferPool pool) {
        this.request = request;
        this.pool = pool;
        this.bytes = Math.multiplyExact(request.size(), imageBytes);
        this.buffer = pool.acquire(Math.multiplyExact(capacityImages, imageBytes));
        this.labels = new int[request.size()];
        this.positions = new long[request.size()];
        this.keys = new long[request.size()];
    }

    void set(int i, long position, long key, int label) {
        positions[i] = position;
        keys[i] = key;
        labels[i] = label;
    }

    void addBad(BadSample bad) {
        badSamples.add(bad);
    }

    void addNanos(long fetch, long decode) {
        fetchNanos += fetch;
        decodeNanos += decode;
    }

    void markMade() {
        madeNanos = System.nanoTime();
    }

    /** When it was whole, by {@link System#nanoTime}. */
    long madeNanos() {
        return madeNanos;
    }

    @Override
    public long step() {
        return request.step();
    }

    @Override
    public int microBatch() {
        return request.microBatch();
    }

    @Override
    public ByteBuffer images() {
        if (closed.get()) {
            throw new IllegalStateException("batch " + request.step() + "/" + request.microBatch() + " is closed");
        }
        return buffer.slice(0, bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public int[] labels() {
        return labels;
    }

    @Override
    public long[] positions() {
        return positions;
    }

    @Override
    public long[] keys() {
        return keys;
    }

    @Override
    public List<BadSample> badSamples() {
        return List.copyOf(badSamples);
    }

    @Override
    public long fetchNanos() {
        return fetchNanos;
    }

    @Override
    public long decodeNanos() {
        return decodeNanos;
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            pool.release(buffer);
        }
    }
}
