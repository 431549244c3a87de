package io.rasterflow.monitoring.monitor;

import java.util.HashMap;
import java.util.Map;

/** How fast what the nodes count grows, between the last two words of each. */
final class Rates {

    private record Word(long timeMillis, double count) {}

    private final Map<String, Word> last = new HashMap<>();
    private final Map<String, Double> perSecond = new HashMap<>();

    /**
     * Takes note of a count.
     *
     * @return what it grew by in a second; NaN after the first word, and after one of a node that counts from 0 again
     */
    double add(String node, long timeMillis, double count) {
        Word before = last.put(node, new Word(timeMillis, count));
        boolean grown = before != null && timeMillis > before.timeMillis && count >= before.count;
        double rate = grown ? 1e3 * (count - before.count) / (timeMillis - before.timeMillis) : Double.NaN;
        if (grown) {
            perSecond.put(node, rate);
        } else {
            perSecond.remove(node);
        }
        return rate;
    }

    /** Of all nodes together; NaN where none is known. */
    double sum() {
        return perSecond.values().stream().reduce(Double::sum).orElse(Double.NaN);
    }

    /** Forgets a node that has gone. */
    void remove(String node) {
        last.remove(node);
        perSecond.remove(node);
    }

    void clear() {
        last.clear();
        perSecond.clear();
    }
}
