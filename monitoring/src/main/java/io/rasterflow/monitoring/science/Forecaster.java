package io.rasterflow.monitoring.science;

import io.rasterflow.monitoring.event.Event;
import java.util.Arrays;
import java.util.Locale;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.hipparchus.distribution.continuous.TDistribution;

/**
 * Foretells the losses at the end of a run from its own curve by the {@link AnnealingLaw}, and says so where it cannot: the
 * curve must hold enough of the learning rate's fall to show what that brings, and the law fitted to its first part must
 * have foreseen the rest. Memory is bounded. Not thread-safe.
 *
 * <p>The interval of the training loss is that of a moving-block bootstrap, whose blocks keep the residuals' correlation,
 * and of the noise of the steps at the end. The validation loss follows by a line through the run's validations over the law,
 * whose error is added. How both fared on real runs: {@code docs/adr/0004}.
 */
public final class Forecaster {

    private static final int WINDOWS = 80;
    private static final int FEWEST_WINDOWS = 24;
    private static final int MOST_VALIDATIONS = 2_000;
    private static final int BLOCK = 5;
    private static final int RESAMPLES = 100;
    private static final long SEED = 20240820;
    /** The curve is fitted from the later of these on: as a multiple of the warm-up, as a share of the steps so far. */
    private static final double WARM = 1.25;

    private static final double EARLY = 0.15;
    /** A learning rate that falls by less of its peak than this leaves nothing to learn of its fall. */
    private static final double LEVEL = 0.05;
    /** Share of the learning rate's fall that must be over. */
    private static final double FALLEN = 0.35;
    /** Part of the fitted curve that foretells the rest of it, to check the law. */
    private static final double CHECKED = 0.7;
    /** Each tail of the interval in which that rest must lie. */
    private static final double STRICT = 0.005;
    /** Steps at the end whose mean is foretold. */
    private static final int LAST = 50;
    /** Losses are foretold again once the run has gone on by this share of it. */
    private static final double STALE = 0.02;

    private final LossCurve curve = new LossCurve();
    private final TreeMap<Long, Double> validations = new TreeMap<>();
    private Event.RunStarted started;
    private AnnealingLaw law;
    private LossForecast forecast;
    private long forecastAt;

    /** A run begins, or goes on from a step. */
    public void start(Event.RunStarted start) {
        started = start;
        curve.truncate(start.firstStep());
        validations.tailMap(start.firstStep(), false).clear();
        law = start.learningRates().known() && start.steps() > 0
                ? new AnnealingLaw(start.learningRates(), start.steps())
                : null;
        forecast = null;
    }

    /** The training loss of a step. */
    public void step(long step, double loss) {
        curve.add(step, loss);
    }

    /** The validation loss at a step. */
    public void validation(long step, double loss) {
        if (Double.isFinite(loss)) {
            validations.put(step, loss);
            if (validations.size() > MOST_VALIDATIONS) {
                validations.pollFirstEntry();
            }
            forecast = null;
        }
    }

    /** What the end will bring, as far as it can be told now; at the end, nothing. */
    public LossForecast forecast() {
        long gone = curve.last() - forecastAt;
        if (forecast == null || started == null || gone < 0 || gone > STALE * started.steps()) {
            forecast = foretell();
            forecastAt = curve.last();
        }
        return forecast;
    }

    private LossForecast foretell() {
        if (started == null || curve.last() < 0) {
            return LossForecast.none("no step yet");
        }
        if (law == null) {
            return LossForecast.none("the journal of this run holds no schedule of its learning rate");
        }
        long steps = started.steps();
        double now = curve.last() + 1;
        if (now >= steps) {
            return LossForecast.none("the run is at its end");
        }
        double first = Math.max(WARM * law.peakStep(), EARLY * now);
        LossCurve.Means means = curve.means(first, now, WINDOWS);
        if (means.size() < FEWEST_WINDOWS) {
            return LossForecast.none("too few steps since the learning rate was highest");
        }
        double fallen = law.wholeFall() < LEVEL ? 1 : law.fall(now) / law.wholeFall();
        if (fallen < FALLEN) {
            return LossForecast.none(String.format(
                    Locale.ROOT,
                    "the learning rate has done %.0f %% of its fall: what the rest will bring shows from %.0f %% on",
                    100 * fallen,
                    100 * FALLEN));
        }
        if (!foresawWhatCame(means)) {
            return LossForecast.none("the curve does not follow the law: its first part did not foretell the rest");
        }
        Fitted fitted = new Fitted(means);
        double last = Math.min(LAST, steps);
        Prediction atEnd = fitted.at(steps - last / 2, Interval.TAIL);
        double noise = quantile(1000) * means.deviation() / Math.sqrt(last);
        Prediction train = widened(atEnd, noise);
        return validation(fitted, first, train);
    }

    private LossForecast validation(Fitted fitted, double first, Prediction train) {
        SortedMap<Long, Double> since = validations.tailMap((long) Math.ceil(first));
        LinearFit line = LinearFit.of(
                since.keySet().stream().mapToDouble(fitted.fit::at).toArray(),
                since.values().stream().mapToDouble(Double::doubleValue).toArray());
        String reason = line.known()
                ? ""
                : String.format(
                        Locale.ROOT,
                        "the validation loss needs %d validations after the warm-up, has %d",
                        Correlation.MINIMUM,
                        since.size());
        return new LossForecast(
                notNegative(train), notNegative(line.at(fitted.at(started.steps(), Interval.TAIL))), reason);
    }

    /** No loss is below 0. */
    private static Prediction notNegative(Prediction loss) {
        Interval interval = loss.interval();
        return new Prediction(
                Math.max(0, loss.value()), new Interval(Math.max(0, interval.low()), Math.max(0, interval.high())));
    }

    private static double quantile(int degrees) {
        return new TDistribution(degrees).inverseCumulativeProbability(1 - Interval.TAIL);
    }

    /** The same with a further error that is independent of the first. */
    private static Prediction widened(Prediction prediction, double half) {
        double value = prediction.value();
        return new Prediction(
                value,
                new Interval(
                        value - Math.hypot(value - prediction.interval().low(), half),
                        value + Math.hypot(prediction.interval().high() - value, half)));
    }

    /** Whether the mean of the last windows lies where the first ones foretold it. */
    private boolean foresawWhatCame(LossCurve.Means means) {
        int known = (int) (CHECKED * means.size());
        double half = law.fall(means.steps()[means.size() - 1]) / 2;
        while (known < means.size() && law.fall(means.steps()[known]) < half) {
            known++; // The fall of the learning rate must have begun, or nothing tells what it brings.
        }
        if (means.size() - known < BLOCK) {
            return true;
        }
        Fitted before = new Fitted(new LossCurve.Means(
                Arrays.copyOf(means.steps(), known),
                Arrays.copyOf(means.losses(), known),
                Arrays.copyOf(means.counts(), known)));
        double came =
                Arrays.stream(means.losses(), known, means.size()).average().orElseThrow();
        double middle =
                Arrays.stream(means.steps(), known, means.size()).average().orElseThrow();
        double count = Arrays.stream(means.counts(), known, means.size()).sum();
        double noise = 2 * quantile(1000) * means.deviation() / Math.sqrt(count);
        return widened(before.at(middle, STRICT), noise).interval().contains(came);
    }

    /** The law fitted to the means, and to what they might have been. */
    private final class Fitted {
        private final AnnealingLaw.Fit fit;
        private final AnnealingLaw.Fit[] others = new AnnealingLaw.Fit[RESAMPLES];

        Fitted(LossCurve.Means means) {
            int n = means.size();
            AnnealingLaw.Fitter fitter = law.at(means.steps());
            fit = fitter.fit(means.losses());
            double[] fitted = Arrays.stream(means.steps()).map(fit::at).toArray();
            SplittableRandom random = new SplittableRandom(SEED);
            double[] drawn = new double[n];
            for (int resample = 0; resample < RESAMPLES; resample++) {
                for (int i = 0; i < n; i += BLOCK) {
                    int from = random.nextInt(n - BLOCK + 1);
                    for (int j = 0; j < BLOCK && i + j < n; j++) {
                        drawn[i + j] = fitted[i + j] + means.losses()[from + j] - fitted[from + j];
                    }
                }
                others[resample] = fitter.fit(drawn);
            }
        }

        Prediction at(double step, double tail) {
            double[] drawn = Arrays.stream(others)
                    .mapToDouble(other -> other.at(step))
                    .sorted()
                    .toArray();
            double value = fit.at(step);
            Interval interval = Interval.ofSorted(drawn, tail, 1 - tail);
            // The fit itself may lie beyond a tail.
            return new Prediction(
                    value, new Interval(Math.min(value, interval.low()), Math.max(value, interval.high())));
        }
    }
}
