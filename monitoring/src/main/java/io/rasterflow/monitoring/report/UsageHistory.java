package io.rasterflow.monitoring.report;

import io.rasterflow.monitoring.event.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What each node took of processor and memory, over the run, in bounded memory. */
final class UsageHistory {

    /**
     * Sizes are -1 where nobody told them.
     *
     * @param processCpu mean share of its cores that the process took; NaN where it is not known
     * @param residentBytes most memory that it held
     * @param heapBytes most of it that was Java objects
     * @param availableBytes least that its machine had left
     * @param gpus the most of each GPU
     */
    record NodeUsage(
            String node,
            double processCpu,
            long residentBytes,
            long heapBytes,
            long availableBytes,
            List<Event.Usage.Gpu> gpus) {}

    private static final class Node {
        private double shares;
        private long counted;
        private long resident = -1;
        private long heap = -1;
        private long available = -1;
        private final Map<String, Event.Usage.Gpu> gpus = new TreeMap<>();

        void add(Event.Usage usage) {
            if (!Double.isNaN(usage.processCpu())) {
                shares += usage.processCpu();
                counted++;
            }
            resident = Math.max(resident, usage.residentBytes());
            heap = Math.max(heap, usage.heapBytes());
            long left = usage.availableBytes();
            available = available < 0 || left >= 0 && left < available ? left : available;
            usage.gpus()
                    .forEach(gpu -> gpus.merge(
                            gpu.device(), gpu, (most, now) -> now.usedBytes() > most.usedBytes() ? now : most));
        }
    }

    private final Map<String, Node> nodes = new TreeMap<>();

    void add(Event.Usage usage) {
        nodes.computeIfAbsent(usage.node(), first -> new Node()).add(usage);
    }

    /** By the names of the nodes. */
    List<NodeUsage> nodes() {
        List<NodeUsage> all = new ArrayList<>();
        nodes.forEach((name, node) -> all.add(new NodeUsage(
                name,
                node.counted == 0 ? Double.NaN : node.shares / node.counted,
                node.resident,
                node.heap,
                node.available,
                List.copyOf(node.gpus.values()))));
        return all;
    }
}
