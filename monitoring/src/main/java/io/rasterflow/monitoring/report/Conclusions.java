package io.rasterflow.monitoring.report;

import static io.rasterflow.monitoring.plot.Words.between;
import static io.rasterflow.monitoring.plot.Words.duration;
import static io.rasterflow.monitoring.plot.Words.format;
import static io.rasterflow.monitoring.plot.Words.loss;
import static io.rasterflow.monitoring.plot.Words.percent;
import static io.rasterflow.monitoring.plot.Words.time;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.monitor.RunStatus.PastAlarm;
import io.rasterflow.monitoring.monitor.RunSummary;
import io.rasterflow.monitoring.monitor.SlowRank;
import io.rasterflow.monitoring.plot.Words;
import io.rasterflow.monitoring.science.Correlation;
import io.rasterflow.monitoring.science.LossForecast;
import io.rasterflow.monitoring.science.ProbePoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the figures say, in sentences, and what they do not: each sentence is computed from the journals, and says so when
 * there is too little to judge by.
 */
public final class Conclusions {

    /** The part of a run whose gain shows whether it was still learning. */
    private static final double TAIL = 0.1;
    /** A rise of the validation loss above its lowest by less than this fraction is no over-fit. */
    private static final double RISE = 0.01;
    /** Standard errors between two accuracies that tell them apart. */
    private static final double APART = 2;
    /** Share of the step time from which waiting for images is worth a remark. */
    private static final double STALLED = 0.1;

    private final RunHistory history;
    private final RunStatus status;
    private final RunSummary summary;
    private final List<String> lines = new ArrayList<>();

    private Conclusions(RunHistory history) {
        this.history = history;
        this.status = history.status();
        this.summary = history.summary();
    }

    /** A sentence or two each. */
    public static List<String> of(RunHistory history) {
        Conclusions conclusions = new Conclusions(history);
        conclusions.end();
        conclusions.training();
        conclusions.validation();
        conclusions.overFit();
        history.probed().stream()
                .filter(series -> !conclusions.averaged(series))
                .forEach(conclusions::probe);
        conclusions.sets();
        conclusions.correlation();
        conclusions.ending();
        conclusions.speed();
        conclusions.data();
        conclusions.standingAlarms();
        conclusions.pastAlarms();
        conclusions.lines.addAll(history.damage().stream()
                .map(what -> what + ". What it lost is missing here.")
                .toList());
        return List.copyOf(conclusions.lines);
    }

    private void end() {
        long last = history.ended().map(Event.RunEnded::step).orElse(status.step());
        String steps = format("step %,d of %,d", last, status.steps());
        String resumed = history.starts() > 1 ? format(" It was started %d times.", history.starts()) : "";
        if (history.ended().isPresent()) {
            Event.RunEnded end = history.ended().get();
            String detail = end.detail() == null || end.detail().isBlank() ? "" : " (" + end.detail() + ")";
            String took = history.started().isEmpty()
                    ? ""
                    : ", " + duration((end.timeMillis() - status.startedMillis()) / 1e3) + " after its last start";
            lines.add("The run " + end.outcome() + " at " + steps + took + detail + "." + resumed);
        } else {
            lines.add("The journals tell of no end: their last word, at " + time(status.lastMillis()) + ", is of "
                    + steps + ". The run died then or is still going; what follows is up to there." + resumed);
        }
    }

    private void training() {
        if (history.steps() == 0) {
            lines.add("No step is journalled.");
            return;
        }
        double first = status.trainLossFirst();
        double last = status.trainLossLast();
        if (Double.isFinite(first) && Double.isFinite(last)) {
            lines.add(format(
                    "Training loss %s from %.4f (mean of the first steps, 10 at most) to %.4f (of the last, 50 at most).",
                    last < first ? "fell" : last > first ? "rose" : "stayed,", first, last));
        }
        if (history.lossesNotFinite() > 0) {
            lines.add(format(
                    "The training loss was no finite number in %,d steps, first in step %,d.",
                    history.lossesNotFinite(), history.firstNotFinite()));
        }
    }

    private void validation() {
        List<Event.Validation> all = history.validations();
        if (all.isEmpty()) {
            lines.add("The loss was never validated, so nothing is known of images that were not trained on.");
            return;
        }
        Event.Validation first = all.get(0);
        Event.Validation last = all.get(all.size() - 1);
        if (all.size() == 1) {
            lines.add(format(
                    "Validation loss was measured once, %s at step %,d: one value says nothing of its course.",
                    loss(first.loss()), first.step()));
            return;
        }
        String weights = last.weights().equals(Event.Validation.EMA) ? ", of averaged weights" : "";
        lines.add(format(
                "Validation loss %s from %s at step %,d to %s at step %,d (%,d images%s).",
                last.loss() < first.loss() ? "fell" : "did not fall:",
                loss(first.loss()),
                first.step(),
                loss(last.loss()),
                last.step(),
                last.images(),
                weights));
        tail(all, first, last);
    }

    private void tail(List<Event.Validation> all, Event.Validation first, Event.Validation last) {
        double from = last.step() - TAIL * (last.step() - first.step());
        Event.Validation before = all.stream()
                .filter(validation -> validation.step() <= from)
                .max(Comparator.comparingLong(Event.Validation::step))
                .orElse(first);
        double fall = first.loss() - last.loss();
        double gain = before.loss() - last.loss();
        if (before == first || !(fall > 0) || !Double.isFinite(gain)) {
            return;
        }
        double part = (last.step() - before.step()) / (double) (last.step() - first.step());
        lines.add(format(
                "The last %.0f %% of its steps gained %.4f of that, %.1f %% of the whole fall: %s.",
                100 * part,
                gain,
                100 * gain / fall,
                gain <= 0
                        ? "it had stopped falling"
                        : gain / fall < RISE ? "it had all but stopped falling" : "it was still falling"));
    }

    private void overFit() {
        List<Event.Validation> all = history.validations();
        if (all.size() < 3) {
            return;
        }
        Event.Validation last = all.get(all.size() - 1);
        Event.Validation lowest = all.stream()
                .filter(validation -> Double.isFinite(validation.loss()))
                .min(Comparator.comparingDouble(Event.Validation::loss))
                .orElse(last);
        if (last.loss() > lowest.loss() * (1 + RISE)) {
            lines.add(format(
                    "It was lowest, %.4f, at step %,d and has risen by %.1f %% since: over-fit, or steps too large.",
                    lowest.loss(), lowest.step(), 100 * (last.loss() / lowest.loss() - 1)));
        }
    }

    /** Whether it is one of several sets, whose mean says more. */
    private boolean averaged(ProbePoint.Series series) {
        return !series.set().isEmpty()
                && !series.set().equals(ProbePoint.AVERAGE)
                && history.probed().contains(new ProbePoint.Series(series.kind(), ProbePoint.AVERAGE));
    }

    private void sets() {
        List<String> sets = history.probed().stream()
                .filter(this::averaged)
                .map(series -> {
                    List<ProbePoint> all = history.probes(series);
                    return format(
                            "%s %s → %s",
                            series.set(),
                            percent(all.get(0).accuracy()),
                            percent(all.get(all.size() - 1).accuracy()));
                })
                .toList();
        if (!sets.isEmpty()) {
            lines.add("The sets one by one, first and last probe: " + String.join(", ", sets) + ".");
        }
    }

    private void probe(ProbePoint.Series series) {
        String kind = series.kind();
        List<ProbePoint> all = history.probes(series);
        ProbePoint first = all.get(0);
        ProbePoint last = all.get(all.size() - 1);
        double error = last.error();
        boolean average = series.set().equals(ProbePoint.AVERAGE);
        String probe = average
                ? "average of the " + kind + " probe over its sets"
                : series.set().isEmpty() ? kind + " probe" : kind + " probe of " + series.set();
        String known = format(
                "%s on %,d images (standard error %.2f points)",
                percent(last.accuracy()), last.validationImages(), 100 * error);
        if (all.size() == 1) {
            lines.add(format("The %s is known once, at step %,d: %s.", probe, last.step(), known));
            return;
        }
        double difference = last.accuracy() - first.accuracy();
        double errors = Math.abs(difference) / Math.hypot(error, first.error());
        lines.add(format(
                "The %s went from %s%s to %s: %+.2f points, %s.",
                probe,
                percent(first.accuracy()),
                first.step() == 0 ? " untrained" : format(" at step %,d", first.step()),
                known,
                100 * difference,
                errors >= APART
                        ? format("%.1f standard errors", errors)
                        : "which chance alone could make of so few images"));
    }

    private void correlation() {
        Correlation correlation = status.correlation();
        if (history.probed().isEmpty()) {
            lines.add("No probe was made, so nothing is known of accuracy.");
        } else if (!correlation.known()) {
            lines.add("Loss and accuracy: " + correlation.describe() + ".");
        } else if (Double.isNaN(correlation.pearsonLow())) {
            lines.add(format(
                    "Loss and accuracy: r = %.3f over %d probes is too few to say.",
                    correlation.pearson(), correlation.points()));
        } else if (correlation.pearsonLow() <= 0 && correlation.pearsonHigh() >= 0) {
            lines.add(correlation.describe() + ": loss and accuracy may have nothing to do with each other here.");
        } else {
            lines.add(correlation.describe() + ": "
                    + (correlation.pearson() < 0
                            ? "the lower the validation loss, the higher the accuracy"
                            : "the higher the validation loss, the higher the accuracy, against what AIM found")
                    + ". Both move with time, and these are points of one run.");
        }
    }

    /** Of a run that died or still goes on, what its schedule would have brought. */
    private void ending() {
        LossForecast forecast = status.forecast();
        if (status.ended() || history.steps() == 0) {
            return;
        }
        if (!forecast.validationLoss().interval().known()) {
            lines.add("What its end would bring cannot be told: " + forecast.reason() + ".");
            return;
        }
        String accuracy = status.accuracyAtEnd().interval().known()
                ? ", with an accuracy of " + between(status.accuracyAtEnd(), Words::percent)
                : "";
        lines.add(format(
                "By its curve and the learning rate that still has to fall, step %,d would have a validation loss of %s%s.",
                status.steps(), between(forecast.validationLoss(), Words::loss), accuracy));
    }

    private void speed() {
        if (history.steps() == 0) {
            return;
        }
        lines.add(format(
                "It trained on %.0f images/s, pauses between steps left out, with %d %s at the end.",
                status.imagesPerSecondAverage(), status.worldSize(), status.worldSize() == 1 ? "rank" : "ranks"));
        if (!Double.isNaN(status.cost())) {
            lines.add(format(
                    "Its ranks were held for %.2f hours together, pauses included, which cost %,.2f at the configured price.",
                    status.rankHours(), status.cost()));
        }
        Ledger shares = summary.shares();
        Map.Entry<String, Double> largest = Ledger.PARTS.entrySet().stream()
                .map(part -> Map.entry(part.getKey(), part.getValue().applyAsDouble(shares)))
                .max(Map.Entry.comparingByValue())
                .orElseThrow();
        double input = shares.fetch() + shares.decode();
        lines.add(format(
                "Most of the step time, %.1f %%, went into %s; %.1f %% went into waiting for images to be read and decoded%s.",
                100 * largest.getValue(),
                largest.getKey(),
                100 * input,
                input >= STALLED ? ", which a faster source or more decoding threads would spare" : ""));
        List<String> cost = status.probeCost().words();
        if (!cost.isEmpty()) {
            lines.add("What the probes cost: " + String.join("; ", cost) + ".");
        }
        for (SlowRank slow : status.slowRanks()) {
            lines.add(format(
                    "Rank %d (%s) took %.1f times as long per micro-batch as the others since step %,d; the difference is in"
                            + " %s.",
                    slow.rank(), slow.node(), slow.ratio(), slow.sinceStep(), slow.part()));
        }
    }

    private void standingAlarms() {
        for (Event.Alarm alarm : status.alarms()) {
            String subject = alarm.subject().isEmpty() ? "" : " (" + alarm.subject() + ")";
            String advice = alarm.advice().isEmpty() ? "" : "; try: " + alarm.advice();
            lines.add(format(
                    "An alarm stands since step %,d, %s%s: %s%s.",
                    alarm.step(), name(alarm.alarm()), subject, alarm.text(), advice));
        }
    }

    /** By kind, for one that comes and goes may do so often. */
    private void pastAlarms() {
        Map<String, List<PastAlarm>> kinds = new LinkedHashMap<>();
        status.pastAlarms().forEach(alarm -> kinds.computeIfAbsent(alarm.alarm(), first -> new ArrayList<>())
                .add(alarm));
        kinds.forEach((kind, alarms) -> {
            PastAlarm last = alarms.get(0);
            String subject = last.subject().isEmpty() ? "" : ", " + last.subject();
            String times = alarms.size() == 1 ? "once" : format("%,d times, the last", alarms.size());
            lines.add(format(
                    "The alarm %s was raised and is over, %s from step %,d to %,d%s: %s; %s.",
                    name(kind), times, last.raisedStep(), last.overStep(), subject, last.text(), last.over()));
        });
        if (kinds.isEmpty() && status.alarms().isEmpty()) {
            lines.add("No alarm is journalled.");
        }
    }

    private static String name(String alarm) {
        return alarm.replace('-', ' ');
    }

    private void data() {
        long bad = history.quarantined().count();
        if (status.imagesDone() > 0) {
            lines.add(format(
                    "%,d images were trained on, %.2f passes over the data, and %s.",
                    status.imagesDone(),
                    status.epoch(),
                    bad == 0
                            ? "none was bad"
                            : format("%,d were bad and replaced (%.3f %%)", bad, 100.0 * bad / status.imagesDone())));
        }
    }
}
