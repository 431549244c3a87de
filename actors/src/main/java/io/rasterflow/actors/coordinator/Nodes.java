package io.rasterflow.actors.coordinator;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pekko.actor.typed.ActorRef;

/** The nodes that have been admitted, by name, and when they were last heard. Times are milliseconds of one clock. */
final class Nodes {

    /** Nodes say every second that they are there. */
    private static final long FRESH_MILLIS = 3_000;

    private record Known(String process, ActorRef<Coordinator.Admission> node, long heard) {}

    private final Map<String, Known> known = new HashMap<>();

    /** Why it may not take part; empty where it may. */
    Optional<String> refusal(Coordinator.JoinNode message, long now) {
        if (message.protocol() != Coordinator.PROTOCOL) {
            return Optional.of("node " + message.node() + " speaks protocol " + message.protocol() + ", this run "
                    + Coordinator.PROTOCOL + "; use the same version of Rasterflow on all nodes");
        }
        return isHere(message.node(), now) && !isProcess(message.node(), message.process())
                ? Optional.of(
                        "another process is node " + message.node() + " of this run; give this one another --name")
                : Optional.empty();
    }

    /** @return whether it is new */
    boolean heard(Coordinator.JoinNode message, long now) {
        boolean same = isProcess(message.node(), message.process());
        known.put(message.node(), new Known(message.process(), message.replyTo(), now));
        return !same;
    }

    /** Whether it was heard lately. */
    boolean isHere(String node, long now) {
        Known found = known.get(node);
        return found != null && now - found.heard() < FRESH_MILLIS;
    }

    private boolean isProcess(String node, String process) {
        Known found = known.get(node);
        return found != null && found.process().equals(process);
    }

    Optional<ActorRef<Coordinator.Admission>> find(String node, long now) {
        return isHere(node, now) ? Optional.of(known.get(node).node()) : Optional.empty();
    }

    /** Names of those that were heard lately, in order. */
    Set<String> here(long now) {
        Set<String> names = new TreeSet<>(known.keySet());
        names.removeIf(node -> !isHere(node, now));
        return names;
    }
}
