package io.rasterflow.monitoring.top;

import static io.rasterflow.monitoring.plot.Words.bytes;
import static io.rasterflow.monitoring.plot.Words.format;

import io.rasterflow.monitoring.event.Event;
import java.util.ArrayList;
import java.util.List;

/** What a node takes of processor and memory, in as many columns as there are. */
final class UsageLine {

    private static final int BAR = 10;

    private UsageLine() {}

    /**
     * The most telling parts that fit, whole ones only; what the node could not tell is left out.
     *
     * <pre>
     *   cpu ████████·· 83 % of 8 cores  memory ███······· 3.0 GB, 12.0 of 16.0 GB left  heap 0.5 of 4.0 GB
     * </pre>
     */
    static String of(Event.Usage usage, int columns) {
        StringBuilder line = new StringBuilder();
        for (String part : parts(usage)) {
            String next = line.isEmpty() ? part : "  " + part;
            if (line.length() + next.length() > columns) {
                break;
            }
            line.append(next);
        }
        return line.toString();
    }

    /** Share of its cores; below all others where that is not known. */
    static double busy(Event.Usage usage) {
        return Double.isNaN(usage.processCpu()) ? -1 : usage.processCpu();
    }

    private static List<String> parts(Event.Usage usage) {
        List<String> parts = new ArrayList<>();
        if (!Double.isNaN(usage.processCpu())) {
            parts.add(format(
                    "cpu %s %.0f %% of %d cores", bar(usage.processCpu()), 100 * usage.processCpu(), usage.cores()));
        }
        if (usage.residentBytes() >= 0) {
            boolean whole = usage.memoryBytes() > 0 && usage.availableBytes() >= 0;
            String share = whole ? bar((double) usage.residentBytes() / usage.memoryBytes()) + " " : "";
            String left =
                    whole ? ", " + bytes(usage.availableBytes()) + " of " + bytes(usage.memoryBytes()) + " left" : "";
            parts.add("memory " + share + bytes(usage.residentBytes()) + left);
        }
        usage.gpus()
                .forEach(gpu -> parts.add(gpu.device() + " " + bar((double) gpu.usedBytes() / gpu.totalBytes()) + " "
                        + bytes(gpu.usedBytes()) + " of " + bytes(gpu.totalBytes())));
        if (!Double.isNaN(usage.machineCpu())) {
            parts.add(format("machine %.0f %%", 100 * usage.machineCpu()));
        }
        parts.add("heap " + bytes(usage.heapBytes()) + " of " + bytes(usage.heapMaxBytes()));
        return parts;
    }

    private static String bar(double share) {
        int full = (int) Math.round(BAR * Math.max(0, Math.min(1, share)));
        return "█".repeat(full) + "·".repeat(BAR - full);
    }
}
