package io.rasterflow.streams.feed;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Bounds the bytes that are in memory at once. Who gets none yet waits in line, and reads nothing from its socket. */
final class ByteBudget {

    private record Waiter(long bytes, CompletableFuture<Void> granted) {}

    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();
    private long free;

    ByteBudget(long bytes) {
        this.free = bytes;
    }

    /** Completes when the bytes are the caller's. A future that the caller has completed meanwhile is passed over. */
    CompletableFuture<Void> acquire(long bytes) {
        Waiter waiter = new Waiter(bytes, new CompletableFuture<>());
        synchronized (this) {
            waiters.add(waiter);
        }
        grant(0);
        return waiter.granted;
    }

    void release(long bytes) {
        grant(bytes);
    }

    private void grant(long released) {
        List<Waiter> served = new ArrayList<>();
        synchronized (this) {
            free += released;
            while (!waiters.isEmpty() && (waiters.peek().granted.isDone() || waiters.peek().bytes <= free)) {
                Waiter waiter = waiters.remove();
                if (!waiter.granted.isDone()) {
                    free -= waiter.bytes;
                    served.add(waiter);
                }
            }
        }
        for (Waiter waiter : served) {
            if (!waiter.granted.complete(null)) { // It gave up in this very moment.
                release(waiter.bytes);
            }
        }
    }
}
