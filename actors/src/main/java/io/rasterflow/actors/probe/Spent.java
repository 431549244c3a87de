package io.rasterflow.actors.probe;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/**
 * What something took.
 *
 * @param seconds by the clock
 * @param cpuSeconds of processor time of the thread that did it, native code included; NaN where the machine does not tell
 */
record Spent(double seconds, double cpuSeconds) {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    /** By this thread so far, since any moment: of two, the difference counts. */
    static Spent now() {
        double cpu = THREADS.isCurrentThreadCpuTimeSupported() ? THREADS.getCurrentThreadCpuTime() * 1e-9 : Double.NaN;
        return new Spent(System.nanoTime() * 1e-9, cpu);
    }

    Spent since(Spent before) {
        return new Spent(seconds - before.seconds, cpuSeconds - before.cpuSeconds);
    }

    Spent plus(Spent other) {
        return new Spent(seconds + other.seconds, cpuSeconds + other.cpuSeconds);
    }
}
