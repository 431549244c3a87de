package io.rasterflow.monitoring.audit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Steps that went alike, kept as runs: an undisturbed generation is one run however long it is. A step can be taken out
 * again, for a journal whose clock is behind.
 */
final class StepRuns {

    /** Steps [from, to) with the same uses. */
    record Run(long from, long to, StepUses uses) {}

    private final TreeMap<Long, Run> runs = new TreeMap<>();

    /** Puts in a step that is not there; {@code uses} must not change any more. */
    void put(long step, StepUses uses) {
        long from = step;
        long to = step + 1;
        StepUses shared = uses;
        Map.Entry<Long, Run> before = runs.lowerEntry(step);
        if (before != null
                && before.getValue().to() == step
                && before.getValue().uses().equals(uses)) {
            from = before.getKey();
            shared = before.getValue().uses();
        }
        Run after = runs.get(to);
        if (after != null && after.uses().equals(uses)) {
            runs.remove(to);
            to = after.to();
        }
        runs.put(from, new Run(from, to, shared));
    }

    /** Takes a step out, as a copy that may change; null when it is not there. */
    StepUses take(long step) {
        Map.Entry<Long, Run> entry = runs.floorEntry(step);
        if (entry == null || entry.getValue().to() <= step) {
            return null;
        }
        Run run = entry.getValue();
        runs.remove(run.from());
        if (run.from() < step) {
            runs.put(run.from(), new Run(run.from(), step, run.uses()));
        }
        if (step + 1 < run.to()) {
            runs.put(step + 1, new Run(step + 1, run.to(), run.uses()));
        }
        return run.uses().copy();
    }

    /** All runs by step. */
    Iterable<Run> all() {
        return runs.values();
    }

    /** The steps [from, to) without a hole: where nothing was put in, {@link StepUses#NONE}. */
    List<Run> between(long from, long to) {
        List<Run> parts = new ArrayList<>();
        Long first = runs.floorKey(from);
        long at = from;
        for (Run run : runs.tailMap(first == null ? from : first, true).values()) {
            if (run.to() <= at) {
                continue;
            }
            if (run.from() >= to) {
                break;
            }
            if (run.from() > at) {
                parts.add(new Run(at, run.from(), StepUses.NONE));
                at = run.from();
            }
            long end = Math.min(to, run.to());
            parts.add(new Run(at, end, run.uses()));
            at = end;
        }
        if (at < to) {
            parts.add(new Run(at, to, StepUses.NONE));
        }
        return parts;
    }

    /** First step; {@link Long#MAX_VALUE} when there is none. */
    long first() {
        return runs.isEmpty() ? Long.MAX_VALUE : runs.firstKey();
    }

    /** One more than the last step in [from, to) that anybody committed; {@code from} when there is none. */
    long committedEnd(long from, long to) {
        for (Run run : runs.headMap(to, false).descendingMap().values()) {
            if (run.to() <= from) {
                break;
            }
            if (run.uses().committed()) {
                return Math.min(to, run.to());
            }
        }
        return from;
    }
}
