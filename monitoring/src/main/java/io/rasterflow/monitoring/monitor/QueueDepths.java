package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How many items are inside each stage of the input pipelines, by the last word of each node that is there. */
final class QueueDepths {

    private final Map<String, List<Event.Input.Stage>> words = new HashMap<>();
    private final Map<String, Long> inside = new LinkedHashMap<>();
    private boolean news;

    void add(Event.Input input) {
        remove(input.node());
        words.put(input.node(), input.stages());
        input.stages().forEach(stage -> inside.merge(stage.name(), stage.depth(), Long::sum));
        news = true;
    }

    /** A node that has gone holds nothing any more. */
    void remove(String node) {
        words.getOrDefault(node, List.of()).forEach(stage -> inside.merge(stage.name(), -stage.depth(), Long::sum));
        words.remove(node);
    }

    /** Items by stage, in the order in which a sample passes them; empty when no node has spoken since this was last asked. */
    Map<String, Long> news() {
        Map<String, Long> said = news ? inside : Map.of();
        news = false;
        return said;
    }
}
