package io.rasterflow.monitoring.monitor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What changed in a run since a reader last asked; everything when {@link #full()}. A reader that asks seldom gets fewer and
 * larger updates of bounded size, so it can never hold up the monitor.
 *
 * @param full whether the reader has to forget what it has
 * @param next what the reader shows at its next request
 * @param curves by name: {@code loss}, {@code validation}, {@code learningRate}, {@code imagesPerSecond}, {@code gradientNorm},
 *     {@code inputWait} (share of rank 0's step that it waits for images), {@code seconds} (how long the run had gone on,
 *     over all of its starts), for each stage of the input pipelines {@code queue.STAGE} (items inside it, over all nodes), for each
 *     source {@code rate.SOURCE} (images per second) and {@code epoch.SOURCE} (passes over it), {@code cache.held} (bytes of the
 *     fullest cache of shards) and {@code cache.fetched} (bytes per second that come into all)
 * @param events lines that are new
 */
public record RunUpdate(boolean full, Cursor next, RunStatus status, Map<String, Tail> curves, List<Notable> events)
        implements MonitorMessage {

    /**
     * How far a reader is.
     *
     * @param version of the histories' shapes
     * @param changes events folded in so far
     * @param lastSteps last step of every curve
     * @param lastEvent id of the last line
     */
    public record Cursor(long version, long changes, Map<String, Long> lastSteps, long lastEvent) {
        public static final Cursor START = new Cursor(-1, -1, Map.of(), 0);
    }

    /** The end of a curve: it replaces the points from step {@code from} on. */
    public record Tail(long from, List<Long> steps, List<Double> values) {

        /** This, with its end replaced. */
        Tail then(Tail end) {
            int kept = (int) steps.stream().filter(step -> step < end.from()).count();
            List<Long> allSteps = new ArrayList<>(steps.subList(0, kept));
            List<Double> allValues = new ArrayList<>(values.subList(0, kept));
            allSteps.addAll(end.steps());
            allValues.addAll(end.values());
            return new Tail(from, allSteps, allValues);
        }
    }

    /** This and what came after it as one, which is full when this is. */
    public RunUpdate then(RunUpdate update) {
        if (update.full()) {
            return update;
        }
        Map<String, Tail> joined = new LinkedHashMap<>(curves);
        update.curves().forEach((name, tail) -> joined.merge(name, tail, Tail::then));
        List<Notable> lines = new ArrayList<>(events);
        for (Notable line : update.events()) {
            // Bad samples that follow each other are one line, counted up.
            if (line.count() > 1
                    && !lines.isEmpty()
                    && lines.get(lines.size() - 1).kind().equals(line.kind())) {
                lines.remove(lines.size() - 1);
            }
            lines.add(line);
        }
        List<Notable> last = lines.subList(Math.max(0, lines.size() - Notables.CAPACITY), lines.size());
        return new RunUpdate(full, update.next(), update.status(), joined, List.copyOf(last));
    }
}
