package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.monitor.RunStatus.NodeStatus;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The nodes of a run, by what was seen of them. */
final class Nodes {

    /** Nodes that left are forgotten beyond this many. */
    private static final int CAPACITY = 1024;

    private static final class Node {
        private int rank = -1;
        private final Set<String> roles = new TreeSet<>();
        private boolean up = true;
        private final Average imagesPerSecond = new Average();
        private long step = -1;
        private long lastSeenMillis;
    }

    private final Map<String, Node> nodes = new LinkedHashMap<>();
    /** Name of the node that hosts the coordinator; empty before one was heard. */
    private String coordinator = "";

    void add(Event event) {
        Node node = node(event.node());
        node.lastSeenMillis = Math.max(node.lastSeenMillis, event.timeMillis());
        if (event instanceof Event.Step step) {
            // A node that acts is there, whatever the failure detector said.
            node.up = true;
            node.roles.add("trainer");
            claimRank(node, step.rank());
            node.step = step.step();
            node.imagesPerSecond.add(
                    step.images() / (double) step.worldSize() / step.ledger().total());
        } else if (event instanceof Event.Probe) {
            node.roles.add("probe");
        } else if (event instanceof Event.Membership change) {
            node.roles.add("coordinator");
            if (change.change().equals("up")) {
                node(change.member()).up = true;
                node(change.member()).lastSeenMillis = change.timeMillis();
            }
        }
    }

    /**
     * Takes note of who is lost by a change.
     *
     * @return their names; among them that of the coordinator before, which moves only when its node is lost or leaves, of
     *     which nobody else may have told
     */
    Set<String> lose(Event.Membership change) {
        Set<String> lost = new TreeSet<>();
        if (change.change().equals("down")) {
            lost.add(change.member());
        }
        if (!coordinator.isEmpty() && !coordinator.equals(change.node())) {
            lost.add(coordinator);
        }
        coordinator = change.node();
        for (String name : lost) {
            node(name).up = false;
            node(name).rank = -1;
        }
        return lost;
    }

    private void claimRank(Node owner, int rank) {
        for (Node node : nodes.values()) {
            if (node != owner && node.rank == rank) {
                node.rank = -1;
            }
        }
        owner.rank = rank;
    }

    private Node node(String name) {
        if (!nodes.containsKey(name) && nodes.size() >= CAPACITY) {
            nodes.entrySet().stream()
                    .filter(entry -> !entry.getValue().up)
                    .map(Map.Entry::getKey)
                    .findFirst()
                    .ifPresent(nodes::remove);
        }
        return nodes.computeIfAbsent(name, unseen -> new Node());
    }

    List<NodeStatus> status() {
        return nodes.entrySet().stream()
                .map(entry -> {
                    Node node = entry.getValue();
                    return new NodeStatus(
                            entry.getKey(),
                            node.rank,
                            String.join(", ", node.roles),
                            node.up ? "up" : "down",
                            node.up ? node.imagesPerSecond.value() : Double.NaN,
                            node.step,
                            node.lastSeenMillis);
                })
                .toList();
    }
}
