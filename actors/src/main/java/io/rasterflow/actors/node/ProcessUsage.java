package io.rasterflow.actors.node;

import com.sun.management.OperatingSystemMXBean;
import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What this process takes of its machine. Not thread-safe. */
final class ProcessUsage {

    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path MEMORY = Path.of("/proc/meminfo");

    private final OperatingSystemMXBean system =
            ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean known ? known : null;
    private final int cores = Runtime.getRuntime().availableProcessors();
    // Until something was measured, the share is that of the whole life of the process.
    private long lastNanos = System.nanoTime()
            - TimeUnit.MILLISECONDS.toNanos(ManagementFactory.getRuntimeMXBean().getUptime());
    private long lastCpuNanos;

    /**
     * @param node its name
     * @param gpus that it computes on
     */
    Event.Usage event(String node, List<Event.Usage.Gpu> gpus) {
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        long memory = system == null ? -1 : system.getTotalMemorySize();
        return new Event.Usage(
                System.currentTimeMillis(),
                node,
                processCpu(),
                system == null ? Double.NaN : share(system.getCpuLoad()),
                cores,
                resident(),
                memory,
                available(memory),
                heap.getUsed(),
                heap.getMax(),
                gpus);
    }

    /** The bean's own share is that of the cores of the machine, and NaN at first. */
    private double processCpu() {
        long cpu = system == null ? -1 : system.getProcessCpuTime();
        if (cpu < 0) {
            return Double.NaN;
        }
        long now = System.nanoTime();
        double share = (cpu - lastCpuNanos) / ((double) (now - lastNanos) * cores);
        lastCpuNanos = cpu;
        lastNanos = now;
        return share(share);
    }

    /** Clocks of processes tick coarsely: a share may come out a little above 1. */
    private static double share(double measured) {
        return measured >= 0 ? Math.min(1, measured) : Double.NaN;
    }

    private long resident() {
        long resident = field(STATUS, "VmRSS");
        return resident >= 0 || system == null ? resident : system.getCommittedVirtualMemorySize();
    }

    /** In a container with less memory than its machine, only the bean knows what is left of it. */
    private long available(long memory) {
        if (system == null) {
            return -1;
        }
        long available = field(MEMORY, "MemAvailable");
        return available < 0 || memory < field(MEMORY, "MemTotal") ? system.getFreeMemorySize() : available;
    }

    /** A line such as {@code VmRSS:  1234 kB} in bytes; -1 where there is none. */
    private static long field(Path file, String name) {
        try {
            return Files.readAllLines(file).stream()
                    .filter(line -> line.startsWith(name + ":"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .findFirst()
                    .orElse(-1);
        } catch (IOException e) {
            return -1; // Not Linux.
        }
    }
}
