package io.rasterflow.tests.endtoend;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journals;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What the journals of all nodes tell of a run, and what must hold in them at any time. */
final class ChaosJournal {

    private final Map<Long, Event.Commit> histories = new HashMap<>();
    private final Map<String, Event.Commit> late = new HashMap<>();
    private final Map<String, Long> lastSteps = new HashMap<>();
    private long generation;
    private long steps;
    private Optional<Event.RunEnded> end = Optional.empty();
    private String violation = "";

    static ChaosJournal read(Path run) throws IOException {
        ChaosJournal journal = new ChaosJournal();
        try (Stream<Event> events = Journals.read(run)) {
            events.forEach(journal::add);
        }
        return journal;
    }

    private void add(Event event) {
        if (event instanceof Event.Commit commit) {
            add(commit);
        } else if (event instanceof Event.RunEnded ended && !ended.outcome().equals("failed")) {
            end = Optional.of(ended);
        }
    }

    private void add(Event.Commit commit) {
        Event.Commit other = histories.putIfAbsent(commit.step(), commit);
        if (other != null && !other.digest().equals(commit.digest())) {
            violation = "two histories: " + other + " and " + commit;
        }
        if (commit.generation() < generation) {
            // A step may have been on its way when the others gave the rank up, but no second one.
            Event.Commit before = late.put(commit.node() + " in generation " + commit.generation(), commit);
            if (before != null) {
                violation = "goes on in an older generation than " + generation + ": " + before + " and " + commit;
            }
        }
        generation = Math.max(generation, commit.generation());
        steps = Math.max(steps, commit.step() + 1);
        lastSteps.merge(commit.node(), commit.timeMillis(), Math::max);
    }

    /** Number of the newest generation that has taken a step. */
    long generation() {
        return generation;
    }

    /** When that node has taken its last step; 0 if it has taken none. */
    long lastStepMillis(String node) {
        return lastSteps.getOrDefault(node, 0L);
    }

    /** Steps that some rank has taken. */
    long steps() {
        return steps;
    }

    Optional<Event.RunEnded> end() {
        return end;
    }

    /** Empty while ranks agree on each step's history, and none goes on beside a newer generation. */
    String violation() {
        return violation;
    }
}
