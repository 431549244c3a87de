package io.rasterflow.streams.pack.source;

import java.util.HashMap;
import java.util.Map;

/** How many downloads run to each host; hosts without one take no memory. */
final class HostLimits {

    private final int perHost;
    private final Map<String, Integer> running = new HashMap<>();

    HostLimits(int perHost) {
        this.perHost = perHost;
    }

    /** Waits for a turn, which {@link #release} gives back. */
    synchronized void acquire(String host) throws InterruptedException {
        while (running.getOrDefault(host, 0) >= perHost) {
            wait();
        }
        running.merge(host, 1, Integer::sum);
    }

    synchronized void release(String host) {
        running.computeIfPresent(host, (name, count) -> count == 1 ? null : count - 1);
        notifyAll();
    }
}
