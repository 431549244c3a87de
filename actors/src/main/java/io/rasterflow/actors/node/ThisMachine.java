package io.rasterflow.actors.node;

import com.sun.management.OperatingSystemMXBean;
import io.rasterflow.model.program.Processor;
import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** What this node runs on, for the journal. */
final class ThisMachine {

    /** Asked instead of the network, which may take long to say it. */
    private static final Path HOST = Path.of("/proc/sys/kernel/hostname");

    private ThisMachine() {}

    /** @param node its name */
    static Event.Machine event(String node) {
        return new Event.Machine(
                System.currentTimeMillis(),
                node,
                host(),
                property("os.name") + " " + property("os.version") + " " + property("os.arch"),
                property("java.vm.version") + " " + property("java.vendor"),
                Processor.name(),
                Runtime.getRuntime().availableProcessors(),
                memoryBytes());
    }

    private static String property(String name) {
        return System.getProperty(name, "");
    }

    private static String host() {
        try {
            return Files.readString(HOST).strip();
        } catch (IOException e) {
            return ""; // Not Linux.
        }
    }

    private static long memoryBytes() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getTotalMemorySize()
                : 0;
    }
}
