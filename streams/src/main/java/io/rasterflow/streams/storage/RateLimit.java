package io.rasterflow.streams.storage;

import java.io.IOException;
import java.net.URI;

/**
 * A token bucket that all fetches share. It keeps the time at which it would be full again instead of a count of tokens, so
 * nothing has to fill it.
 */
final class RateLimit {

    private static final long BURST_NANOS = 100_000_000;

    private final double nanosPerByte;
    private final Lifetime lifetime;
    private long paidUntil = System.nanoTime() - BURST_NANOS;

    RateLimit(long bytesPerSecond, Lifetime lifetime) {
        this.nanosPerByte = bytesPerSecond == 0 ? 0 : 1e9 / bytesPerSecond;
        this.lifetime = lifetime;
    }

    /** Waits until that many bytes may pass. Waiting callers are served in the order of their calls. */
    void take(int bytes, URI uri) throws IOException {
        if (nanosPerByte == 0) {
            return;
        }
        long wait;
        synchronized (this) {
            long now = System.nanoTime();
            if (paidUntil - (now - BURST_NANOS) < 0) {
                paidUntil = now - BURST_NANOS;
            }
            paidUntil += (long) (bytes * nanosPerByte);
            wait = paidUntil - now;
        }
        if (wait > 0) {
            lifetime.sleep(wait, uri);
        }
    }
}
