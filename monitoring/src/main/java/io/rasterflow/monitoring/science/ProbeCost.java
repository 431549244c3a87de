package io.rasterflow.monitoring.science;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What the probes of a run cost its training, measured: rank 0's steps while a probe was under way against those shortly
 * before and after it. Values that cannot be told are NaN.
 *
 * @param probes that were made
 * @param seconds that they took by the clock
 * @param cpuSeconds of processor time that their thread took
 * @param cores of the machine that probed
 * @param idleCores of them that nobody used while no probe was under way
 * @param measured probes, those of one checkpoint counted as one, that steps fell into
 * @param stepSeconds of a step without them
 * @param stepSecondsDuring of a step during them
 * @param slowdown by which a step takes longer during them, as a fraction: the mean over those measured, and its interval
 * @param lost part of the wall clock of all steps that training lost to them
 */
public record ProbeCost(
        int probes,
        double seconds,
        double cpuSeconds,
        int cores,
        double idleCores,
        int measured,
        double stepSeconds,
        double stepSecondsDuring,
        Share slowdown,
        Share lost) {

    /** Of this much idle a thread gets nearly a core for itself. */
    private static final double SPARE = 0.9;

    /** No probe yet. */
    public static final ProbeCost NONE =
            new ProbeCost(0, 0, Double.NaN, 0, Double.NaN, 0, Double.NaN, Double.NaN, Share.NONE, Share.NONE);

    /**
     * Part of a whole.
     *
     * @param value mean over the checkpoints that were probed
     * @param interval of that mean; none of fewer than 2
     */
    public record Share(double value, Interval interval) {
        static final Share NONE = new Share(Double.NaN, Interval.NONE);

        static Share of(double[] values) {
            return new Share(Arrays.stream(values).average().orElse(Double.NaN), Interval.ofMean(values));
        }
    }

    /**
     * The probes of one checkpoint, and the steps that fell into them or stood close by.
     *
     * @param steps during them
     * @param during mean seconds of these
     * @param around mean seconds of those close by
     */
    public record Window(long steps, double during, double around) {
        double slowdown() {
            return during / around - 1;
        }

        double lostSeconds() {
            return steps * (during - around);
        }
    }

    /**
     * From what was measured.
     *
     * @param stepSeconds of all steps of the run together
     */
    public static ProbeCost of(
            int probes,
            double seconds,
            double cpuSeconds,
            int cores,
            double idleCores,
            List<Window> windows,
            double stepSeconds) {
        double steps = windows.stream().mapToLong(Window::steps).sum();
        double during = windows.stream()
                .mapToDouble(window -> window.steps() * window.during())
                .sum();
        double around = windows.stream()
                .mapToDouble(window -> window.steps() * window.around())
                .sum();
        double[] slowdowns = windows.stream().mapToDouble(Window::slowdown).toArray();
        double[] lost = windows.stream()
                .mapToDouble(window -> window.lostSeconds() * windows.size() / stepSeconds)
                .toArray();
        return new ProbeCost(
                probes,
                seconds,
                cpuSeconds,
                cores,
                idleCores,
                windows.size(),
                around / steps,
                during / steps,
                Share.of(slowdowns),
                Share.of(lost));
    }

    /** Whether a probe found a core that nobody used. */
    public boolean spareCore() {
        return idleCores >= SPARE;
    }

    /** What is known, a clause each. */
    public List<String> words() {
        List<String> all = new ArrayList<>();
        if (probes == 0) {
            return all;
        }
        all.add(format("%d probe%s took %.1f s", probes, probes == 1 ? "" : "s", seconds)
                + (Double.isNaN(cpuSeconds) ? "" : format(", %.1f s of processor time", cpuSeconds)));
        if (!Double.isNaN(idleCores)) {
            all.add(format(
                    "there was %s for them: %.1f of %d idle while none was under way",
                    spareCore() ? "a spare core" : "no spare core", idleCores, cores));
        }
        if (measured == 0) {
            all.add("too few steps fell into them to say what training lost");
        } else {
            all.add(format(
                    "a step took %.3f s during them and %.3f s shortly before and after, %+.1f %%%s",
                    stepSecondsDuring, stepSeconds, 100 * slowdown.value(), between(slowdown.interval())));
            all.add(format(
                    "training lost %.1f %% of its time to them%s", 100 * lost.value(), between(lost.interval())));
        }
        return all;
    }

    private static String between(Interval interval) {
        return interval.known()
                ? format(" (95 %%: %.1f to %.1f)", 100 * interval.low(), 100 * interval.high())
                : " (from one checkpoint: no interval)";
    }

    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
