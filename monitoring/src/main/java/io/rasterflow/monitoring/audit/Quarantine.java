package io.rasterflow.monitoring.audit;

import io.rasterflow.monitoring.event.Event;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** Bad samples, each once however often its step was redone. */
final class Quarantine {

    private static final int LISTED = 1_000;

    private final Set<Long> seen = new HashSet<>();
    private final List<Event.BadSample> first = new ArrayList<>();

    void add(Event.BadSample bad) {
        // Sample and position in 64 bits: among a million bad samples two are confused with odds of 1 to 30 million.
        long sample = Objects.hash(bad.shard(), bad.key()) * 0x9E3779B97F4A7C15L ^ bad.offset();
        if (seen.add(mix(sample) + bad.position()) && first.size() < LISTED) {
            first.add(bad);
        }
    }

    private static long mix(long bits) {
        long mixed = (bits ^ bits >>> 30) * 0xBF58476D1CE4E5B9L;
        return mixed ^ mixed >>> 31;
    }

    int count() {
        return seen.size();
    }

    List<Event.BadSample> first() {
        return first;
    }
}
