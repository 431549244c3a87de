package io.rasterflow.cli;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Processor time of the threads of this process that neither train nor feed the training: those of actors, page, journal and
 * timers. What compiler and collector take is not told by the JVM.
 */
final class OtherThreads {

    /** Names of threads that do a part of the training, or stand for a browser on another machine, begin so. */
    private static final List<String> LEFT_OUT =
            List.of("replica-lane", "rasterflow-decode", "rasterflow-fetch", "HttpClient-");

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private Map<Long, Long> before = Map.of();

    /** @param training ids of the threads of the ranks */
    void begin(Set<Long> training) {
        before = nanos(training);
    }

    /** Seconds since the beginning. A thread that has ended since is not counted. */
    double seconds(Set<Long> training) {
        long sum = 0;
        for (Map.Entry<Long, Long> thread : nanos(training).entrySet()) {
            sum += thread.getValue() - before.getOrDefault(thread.getKey(), 0L);
        }
        return sum * 1e-9;
    }

    private Map<Long, Long> nanos(Set<Long> training) {
        Map<Long, Long> now = new HashMap<>();
        for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (thread == null
                    || training.contains(thread.getThreadId())
                    || LEFT_OUT.stream().anyMatch(thread.getThreadName()::startsWith)) {
                continue;
            }
            long nanos = threads.getThreadCpuTime(thread.getThreadId());
            if (nanos >= 0) {
                now.put(thread.getThreadId(), nanos);
            }
        }
        return now;
    }
}
