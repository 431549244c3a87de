package io.rasterflow.tests.monitoring;

import io.rasterflow.config.RunConfig;
import io.rasterflow.monitoring.alarm.AlarmConfig;
import io.rasterflow.monitoring.alarm.AlarmKind;
import io.rasterflow.monitoring.alarm.Alarms;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;

/** A run of two ranks under the alarms of the defaults, or of others, as its monitor sees it; and the journal of it. */
final class WatchedRun {

    static final int BATCH = 64;
    private static final int STEP_MILLIS = 1_000;

    /** What a step of one rank shows. */
    record Shown(int rank, double loss, double gradientNorm, double learningRate, Ledger ledger) {
        Shown loss(double value) {
            return new Shown(rank, value, gradientNorm, learningRate, ledger);
        }

        Shown gradientNorm(double value) {
            return new Shown(rank, loss, value, learningRate, ledger);
        }

        Shown learningRate(double value) {
            return new Shown(rank, loss, gradientNorm, value, ledger);
        }

        Shown ledger(Ledger value) {
            return new Shown(rank, loss, gradientNorm, learningRate, value);
        }
    }

    final Alarms alarms;
    final List<Event> journal = new ArrayList<>();
    final List<Event.Alarm> said = new ArrayList<>();
    long step;
    long now = 1_767_225_600_000L;
    long generation = 1;
    private final Random noise;

    /** @param overrides of the defaults, such as {@code monitor.alarms.off=[plateau]} */
    WatchedRun(long seed, String... overrides) {
        noise = new Random(seed);
        alarms = new Alarms(config(overrides), "main");
    }

    static AlarmConfig config(String... overrides) {
        return RunConfig.load("", Arrays.asList(overrides)).config().monitor().alarms();
    }

    WatchedRun start(long firstStep, long steps) {
        step = firstStep;
        return add(new Event.RunStarted(
                now, "trainer-0", "watched", firstStep, steps, BATCH, 1_000, 20_000, 2, "fp32", "", null, null));
    }

    WatchedRun add(Event event) {
        journal.add(event);
        return hear(alarms.add(event, now));
    }

    WatchedRun hear(List<Event.Alarm> news) {
        journal.addAll(news);
        said.addAll(news);
        return this;
    }

    /** Even steps: a loss of 0.5 with a hundredth of noise, as the other values have. */
    WatchedRun steps(int count) {
        return steps(count, shown -> shown);
    }

    WatchedRun steps(int count, UnaryOperator<Shown> change) {
        for (int i = 0; i < count; i++) {
            now += STEP_MILLIS;
            double loss = 0.5 * (1 + 0.01 * noise.nextGaussian());
            double norm = 1 + 0.05 * noise.nextGaussian();
            for (int rank = 0; rank < 2; rank++) {
                double compute = 0.5 * (1 + 0.03 * noise.nextGaussian());
                Shown plain = new Shown(rank, loss, norm, 1e-3, new Ledger(0.02, 0.05, 0.01, compute, 0.1, 0.05));
                Shown shown = change.apply(plain);
                add(new Event.Step(
                        now,
                        "trainer-" + rank,
                        rank,
                        2,
                        generation,
                        step,
                        0,
                        shown.loss(),
                        shown.gradientNorm(),
                        shown.learningRate(),
                        BATCH,
                        shown.ledger(),
                        null));
            }
            step++;
        }
        return this;
    }

    WatchedRun idle(int seconds) {
        now += 1_000L * seconds;
        return hear(alarms.tick(now, seconds));
    }

    WatchedRun validation(double loss) {
        return add(new Event.Validation(now, "trainer-0", step, loss, 5_000, 1, "model"));
    }

    /** What was said of a kind: {@code true} for raised. */
    List<Boolean> of(AlarmKind kind) {
        return said.stream()
                .filter(alarm -> alarm.alarm().equals(kind.id()))
                .map(Event.Alarm::raised)
                .toList();
    }

    Event.Alarm last() {
        return said.get(said.size() - 1);
    }
}
