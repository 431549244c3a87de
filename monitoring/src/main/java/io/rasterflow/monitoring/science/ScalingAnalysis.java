package io.rasterflow.monitoring.science;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What several runs of one experiment tell together: how the final validation loss falls with parameters, samples and FLOPs,
 * and whether the runs of lower loss are those of higher accuracy.
 *
 * @param runs all of them, by parameters and samples
 * @param series the law in parameters (over the runs of one number of samples), in samples (over those of one model), in both
 *     (over all) and in FLOPs (over the runs that no cheaper run is as good as)
 * @param correlations of final loss and accuracy, by kind of probe
 * @param notes what a reader should know of the runs, a line each
 */
public record ScalingAnalysis(
        List<RunPoint> runs, List<ScalingSeries> series, Map<String, Correlation> correlations, List<String> notes) {

    /** Runs without which nothing is fitted. */
    public static final int MINIMUM = 3;

    /**
     * @throws IllegalArgumentException with one line, if there are too few runs or their losses do not compare
     */
    public static ScalingAnalysis of(List<RunPoint> given) {
        if (given.size() < MINIMUM) {
            throw new IllegalArgumentException(
                    "a scaling law needs at least " + MINIMUM + " runs of different sizes but "
                            + (given.size() == 1 ? "1 is" : given.size() + " are") + " given");
        }
        requireAlike(given);
        List<RunPoint> runs = given.stream()
                .sorted(Comparator.comparingLong(RunPoint::parameters).thenComparingDouble(RunPoint::samples))
                .toList();
        List<ScalingSeries> series = new ArrayList<>();
        series.add(along(Quantity.PARAMETERS, Quantity.SAMPLES, runs));
        series.add(along(Quantity.SAMPLES, Quantity.PARAMETERS, runs));
        series.add(ScalingSeries.of(List.of(Quantity.PARAMETERS, Quantity.SAMPLES), "all runs", runs));
        if (runs.stream().allMatch(run -> run.flops() > 0)) {
            series.add(ScalingSeries.of(
                    List.of(Quantity.FLOPS), "the runs that no cheaper run is as good as", frontier(runs)));
        }
        return new ScalingAnalysis(runs, List.copyOf(series), correlations(runs), notes(runs));
    }

    private static void requireAlike(List<RunPoint> runs) {
        RunPoint first = runs.get(0);
        for (RunPoint run : runs) {
            alike(
                    first,
                    run,
                    "objective",
                    first.experiment().objective(),
                    run.experiment().objective());
            alike(first, run, "validation data", data(first), data(run));
            alike(first, run, "weights", first.weights(), run.weights());
        }
    }

    private static String data(RunPoint run) {
        return run.validationImages() + " images"
                + (run.experiment().validation().isEmpty()
                        ? ""
                        : " of " + run.experiment().validation());
    }

    private static void alike(RunPoint a, RunPoint b, String what, String ofA, String ofB) {
        if (!ofA.equals(ofB)) {
            throw new IllegalArgumentException("the losses of " + a.directory() + " and " + b.directory()
                    + " do not compare: their " + what + " differ (" + shown(ofA) + "; " + shown(ofB)
                    + "); give runs of one experiment");
        }
    }

    private static String shown(String value) {
        return value.isEmpty() ? "not journalled, by an older program" : value;
    }

    /** The runs that differ by one quantity alone: of the value of the other at which most sizes are, the largest such. */
    private static ScalingSeries along(Quantity quantity, Quantity fixed, List<RunPoint> runs) {
        Map<Double, List<RunPoint>> groups =
                runs.stream().collect(Collectors.groupingBy(fixed::of, TreeMap::new, Collectors.toList()));
        Map.Entry<Double, List<RunPoint>> most = groups.entrySet().stream()
                .max(Comparator.comparingLong((Map.Entry<Double, List<RunPoint>> group) -> group.getValue().stream()
                                .mapToDouble(quantity::of)
                                .distinct()
                                .count())
                        .thenComparing(Map.Entry::getKey))
                .orElseThrow();
        List<RunPoint> ordered = most.getValue().stream()
                .sorted(Comparator.comparingDouble(quantity::of))
                .toList();
        return ScalingSeries.of(
                List.of(quantity), String.format("the runs of %,.0f %s", most.getKey(), fixed.label()), ordered);
    }

    /** Whoever wants such a loss cannot have it for less among these runs. */
    private static List<RunPoint> frontier(List<RunPoint> runs) {
        List<RunPoint> frontier = new ArrayList<>();
        double best = Double.POSITIVE_INFINITY;
        for (RunPoint run : runs.stream()
                .sorted(Comparator.comparingDouble(RunPoint::flops).thenComparingDouble(RunPoint::loss))
                .toList()) {
            if (run.loss() < best) {
                frontier.add(run);
                best = run.loss();
            }
        }
        return List.copyOf(frontier);
    }

    static Map<String, Correlation> correlations(List<RunPoint> runs) {
        TreeSet<String> kinds = new TreeSet<>();
        runs.forEach(run -> kinds.addAll(run.accuracies().keySet()));
        Map<String, Correlation> correlations = new TreeMap<>();
        for (String kind : kinds) {
            correlations.put(
                    kind,
                    Correlation.of(runs.stream()
                            .filter(run -> run.accuracies().containsKey(kind))
                            .map(run -> new Correlation.Point(
                                    run.loss(), run.accuracies().get(kind)))
                            .toList()));
        }
        return correlations;
    }

    private static List<String> notes(List<RunPoint> runs) {
        List<String> notes = new ArrayList<>();
        for (RunPoint run : runs) {
            if (!run.complete()) {
                notes.add(run.directory() + " was last validated at step " + run.step() + " of " + run.steps()
                        + ": its learning rate had not come to its end, so its loss may lie above the law");
            }
        }
        if (runs.get(0).experiment().objective().isEmpty()) {
            notes.add(
                    "an older program journalled neither the objective nor the FLOPs of these runs: that they are of one"
                            + " experiment is taken on trust, and there is no law in FLOPs");
        }
        return List.copyOf(notes);
    }
}
