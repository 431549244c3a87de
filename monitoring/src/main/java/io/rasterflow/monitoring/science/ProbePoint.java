package io.rasterflow.monitoring.science;

import io.rasterflow.monitoring.event.Event;
import java.util.List;
import java.util.Optional;

/**
 * One probe of one labelled set, or the mean over all sets of a step, as the paper tells of its 15 (arXiv 2401.08541).
 *
 * @param kind {@code attentive}, {@code linear} or {@code knn}
 * @param set name of the set; {@link #AVERAGE} for the mean over several; empty where the run has one that has no name
 * @param accuracy top-1 as a fraction
 * @param error standard error of it: binomial, of sets independent of each other
 * @param validationImages that it was measured on
 * @param validationLoss loss of the same weights; NaN when it was not measured
 * @param beside see {@link Event.Probe}: the run is judged by others
 */
public record ProbePoint(
        long step,
        String kind,
        String set,
        double accuracy,
        double error,
        int validationImages,
        double validationLoss,
        boolean beside) {

    /** What no set may be called. */
    public static final String AVERAGE = "average";

    /** Points that can be compared with each other. */
    public record Series(String kind, String set) {
        /** For people, such as {@code attentive} or {@code attentive average}. */
        public String label() {
            return set.isEmpty() ? kind : kind + " " + set;
        }
    }

    public ProbePoint {
        set = set == null ? "" : set;
    }

    static ProbePoint of(Event.Probe probe) {
        double accuracy = probe.accuracy();
        return new ProbePoint(
                probe.step(),
                probe.kind(),
                probe.set(),
                accuracy,
                Math.sqrt(accuracy * (1 - accuracy) / Math.max(1, probe.validationImages())),
                probe.validationImages(),
                probe.validationLoss(),
                probe.beside());
    }

    /** @param sets the points of one step and kind, at least one */
    static ProbePoint average(List<ProbePoint> sets) {
        ProbePoint one = sets.get(0);
        return new ProbePoint(
                one.step(),
                one.kind(),
                AVERAGE,
                sets.stream().mapToDouble(ProbePoint::accuracy).average().orElseThrow(),
                Math.sqrt(sets.stream()
                                .mapToDouble(set -> set.error() * set.error())
                                .sum())
                        / sets.size(),
                sets.stream().mapToInt(ProbePoint::validationImages).sum(),
                one.validationLoss(),
                one.beside());
    }

    /**
     * What a run is judged by: of the probes that were not made beside others, the mean over several sets, or without
     * several the kind that came first.
     *
     * @param points of a run by step
     */
    public static Optional<Series> main(List<ProbePoint> points) {
        List<ProbePoint> own = points.stream().filter(point -> !point.beside).toList();
        List<ProbePoint> judging = own.isEmpty() ? points : own;
        return judging.stream()
                .filter(point -> point.set.equals(AVERAGE))
                .findFirst()
                .or(() -> judging.stream().findFirst())
                .map(ProbePoint::series);
    }

    /** What it can be compared with. */
    public Series series() {
        return new Series(kind, set);
    }
}
