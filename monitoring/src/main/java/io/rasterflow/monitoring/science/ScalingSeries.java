package io.rasterflow.monitoring.science;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Runs along one quantity or several, the law fitted to them, its check and its next prediction.
 *
 * @param quantities that the loss is taken to fall with, one for each term of the law
 * @param selection which of the runs these are, in words
 * @param runs by size
 * @param fit empty where there is none
 * @param problem why there is none, or why it should not be believed; empty where all is well
 * @param heldOut the largest runs, predicted by a law that was fitted without them; empty where too few are left
 * @param nextSizes one for each quantity, as far beyond the largest as that is beyond the one before
 * @param next what a run of these sizes is predicted to reach
 */
public record ScalingSeries(
        List<Quantity> quantities,
        String selection,
        List<RunPoint> runs,
        Optional<ScalingFit> fit,
        String problem,
        List<HeldOut> heldOut,
        List<Double> nextSizes,
        Prediction next) {

    /** One of the largest runs and what the smaller ones said of it. */
    public record HeldOut(RunPoint run, Prediction prediction) {

        /** (predicted - measured) / measured. */
        public double relativeError() {
            return prediction.value() / run.loss() - 1;
        }

        /** Whether the run lies in the interval; empty where there is none. */
        public Optional<Boolean> within() {
            return prediction.interval().known()
                    ? Optional.of(prediction.interval().contains(run.loss()))
                    : Optional.empty();
        }
    }

    static ScalingSeries of(List<Quantity> quantities, String selection, List<RunPoint> runs) {
        Quantity first = quantities.get(0);
        double largest = runs.stream().mapToDouble(first::of).max().orElse(Double.NaN);
        try {
            ScalingFit fit = fit(quantities, runs);
            double[] next = quantities.stream()
                    .mapToDouble(quantity -> next(quantity, runs))
                    .toArray();
            return new ScalingSeries(
                    quantities,
                    selection,
                    List.copyOf(runs),
                    Optional.of(fit),
                    doubt(quantities, fit),
                    heldOut(quantities, runs, largest),
                    Arrays.stream(next).boxed().toList(),
                    fit.predict(next));
        } catch (IllegalArgumentException e) {
            return new ScalingSeries(
                    quantities,
                    selection,
                    List.copyOf(runs),
                    Optional.empty(),
                    e.getMessage(),
                    List.of(),
                    List.of(),
                    Prediction.NONE);
        }
    }

    private static ScalingFit fit(List<Quantity> quantities, List<RunPoint> runs) {
        double[][] sizes = runs.stream().map(run -> sizes(quantities, run)).toArray(double[][]::new);
        return ScalingFit.of(sizes, runs.stream().mapToDouble(RunPoint::loss).toArray());
    }

    private static double[] sizes(List<Quantity> quantities, RunPoint run) {
        return quantities.stream().mapToDouble(quantity -> quantity.of(run)).toArray();
    }

    private static String doubt(List<Quantity> quantities, ScalingFit fit) {
        for (int k = 0; k < quantities.size(); k++) {
            if (fit.law().terms().get(k).exponent() == 0) {
                return "the loss does not fall with " + quantities.get(k).label() + " among these runs";
            }
        }
        if (!fit.determined()) {
            return "these runs do not determine the exponent: it lies at the end of what is searched";
        }
        return fit.freedom() > 0
                ? ""
                : "as many parameters as runs: the law goes through them whatever they are, and has no intervals";
    }

    /** All of the largest size are left out. */
    private static List<HeldOut> heldOut(List<Quantity> quantities, List<RunPoint> runs, double largest) {
        Quantity first = quantities.get(0);
        List<RunPoint> smaller =
                runs.stream().filter(run -> first.of(run) < largest).toList();
        List<HeldOut> heldOut = new ArrayList<>();
        try {
            ScalingFit fit = fit(quantities, smaller);
            runs.stream()
                    .filter(run -> first.of(run) == largest)
                    .forEach(run -> heldOut.add(new HeldOut(run, fit.predict(sizes(quantities, run)))));
        } catch (IllegalArgumentException tooFew) {
            return List.of();
        }
        return List.copyOf(heldOut);
    }

    /** The next of a geometric series. */
    private static double next(Quantity quantity, List<RunPoint> runs) {
        double[] sizes =
                runs.stream().mapToDouble(quantity::of).sorted().distinct().toArray();
        double largest = sizes[sizes.length - 1];
        return largest * largest / sizes[sizes.length - 2];
    }
}
