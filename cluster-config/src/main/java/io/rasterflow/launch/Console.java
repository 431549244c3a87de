package io.rasterflow.launch;

import io.rasterflow.monitoring.alarm.AlarmKind;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.plot.Words;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Shows a run's events to the person who started it: a progress bar on a terminal, plain lines otherwise. */
final class Console {

    private static final long LINE_EVERY_MILLIS = 10_000;
    private static final int BAR_EVERY_MILLIS = 250;
    private static final String CLEAR_LINE = "\r\033[2K";

    private final PrintStream out;
    private final boolean terminal;
    private final CompletableFuture<Void> ended;
    private ProgressBar bar;
    private long firstStep;
    private long steps;
    private long startedMillis;
    private long lastLineMillis;
    private double smoothedLoss = Double.NaN;

    private Console(PrintStream out, boolean terminal, CompletableFuture<Void> ended) {
        this.out = out;
        this.terminal = terminal;
        this.ended = ended;
    }

    /**
     * @param terminal whether {@code out} is one
     * @param ended completed when the run's end has been shown, so that nothing is printed over what follows
     */
    static Behavior<Event> create(PrintStream out, boolean terminal, CompletableFuture<Void> ended) {
        return Behaviors.setup(context -> new Console(out, terminal, ended).watching());
    }

    private Behavior<Event> watching() {
        return Behaviors.receive(Event.class)
                .onMessage(Event.RunStarted.class, this::onStarted)
                .onMessage(Event.Step.class, this::onStep)
                .onMessage(
                        Event.Validation.class,
                        event -> line(String.format(
                                Locale.ROOT,
                                "step %d · validation loss %.4f%s",
                                event.step(),
                                event.loss(),
                                event.weights().equals(Event.Validation.EMA) ? " (averaged weights)" : "")))
                .onMessage(Event.Probe.class, this::onProbe)
                .onMessage(
                        Event.BadSample.class,
                        event -> line(
                                event.key().isEmpty()
                                        ? String.format(
                                                Locale.ROOT,
                                                "damaged  %s at byte %d: %s",
                                                event.shard(),
                                                event.offset(),
                                                event.cause())
                                        : String.format(
                                                Locale.ROOT,
                                                "skipped %s in %s: %s",
                                                event.key(),
                                                event.shard(),
                                                event.cause())))
                .onMessage(Event.Membership.class, this::onMembership)
                .onMessage(Event.Alarm.class, this::onAlarm)
                .onMessage(Event.Action.class, event -> line(event.words()))
                .onMessage(Event.RunEnded.class, event -> onEnded())
                .onAnyMessage(event -> Behaviors.same())
                .onSignal(PostStop.class, stop -> onEnded())
                .build();
    }

    private Behavior<Event> onStarted(Event.RunStarted event) {
        firstStep = event.firstStep();
        steps = event.steps();
        startedMillis = 0;
        if (terminal) {
            bar = new ProgressBarBuilder()
                    .setTaskName("train")
                    .setInitialMax(steps)
                    .startsFrom(firstStep, Duration.ZERO)
                    .setStyle(ProgressBarStyle.UNICODE_BLOCK)
                    .setUpdateIntervalMillis(2 * BAR_EVERY_MILLIS)
                    .hideEta()
                    // One line that is written over, so that other lines can be printed above it.
                    .setConsumer(new DelegatingProgressBarConsumer(
                            text -> out.print(CLEAR_LINE + text), Integer.getInteger("rasterflow.columns", 80) - 1))
                    .build();
        }
        return Behaviors.same();
    }

    private Behavior<Event> onStep(Event.Step event) {
        if (event.rank() != 0) {
            return Behaviors.same();
        }
        smoothedLoss = Double.isNaN(smoothedLoss) ? event.loss() : 0.95 * smoothedLoss + 0.05 * event.loss();
        if (startedMillis == 0) {
            startedMillis = event.timeMillis();
            firstStep = event.step();
        }
        if (bar != null) {
            bar.stepTo(event.step() + 1);
        }
        if (event.timeMillis() - lastLineMillis < (bar != null ? BAR_EVERY_MILLIS : LINE_EVERY_MILLIS)) {
            return Behaviors.same();
        }
        lastLineMillis = event.timeMillis();
        long done = event.step() + 1 - firstStep;
        double seconds = Math.max(1e-3, (event.timeMillis() - startedMillis) / 1000.0);
        double stepsPerSecond = Math.max(0, done - 1) / seconds;
        String left = stepsPerSecond > 0 ? Words.duration((steps - event.step() - 1) / stepsPerSecond) : "?";
        String text = String.format(
                Locale.ROOT,
                "loss %.4f · %.0f images/s · %s left",
                smoothedLoss,
                stepsPerSecond * event.images(),
                left);
        if (bar != null) {
            bar.setExtraMessage(" " + text);
        } else {
            out.printf(Locale.ROOT, "step %d/%d · %s%n", event.step() + 1, steps, text);
        }
        return Behaviors.same();
    }

    /** Changes once training has begun. */
    private Behavior<Event> onMembership(Event.Membership event) {
        if (steps == 0 || event.change().equals("up")) {
            return Behaviors.same();
        }
        return line(
                switch (event.change()) {
                    case "down" -> "lost " + event.member() + ": " + event.detail();
                    case "generation" -> "generation " + event.generation() + " begins at " + event.detail();
                    default -> event.detail();
                });
    }

    private Behavior<Event> onAlarm(Event.Alarm event) {
        if (event.alarm().equals(AlarmKind.RUN_FAILED.id())) {
            return Behaviors.same(); // The command says it as it ends.
        }
        String name = event.alarm().replace('-', ' ') + (event.subject().isEmpty() ? "" : ", " + event.subject());
        return line(
                event.raised()
                        ? "alarm: " + name + ": " + event.text() + "; " + event.advice()
                        : "alarm over: " + name + ": " + event.text());
    }

    private Behavior<Event> onProbe(Event.Probe event) {
        return line(String.format(
                Locale.ROOT,
                "step %d · %s %.2f %% on %d images%s (%.0f s)",
                event.step(),
                event.words(),
                100 * event.accuracy(),
                event.validationImages(),
                event.step() == 0 ? ", untrained" : "",
                event.seconds()));
    }

    private Behavior<Event> line(String text) {
        if (bar != null) {
            out.print(CLEAR_LINE);
        }
        out.println(text);
        return Behaviors.same();
    }

    private Behavior<Event> onEnded() {
        if (bar != null) {
            bar.close();
            bar = null;
            out.println();
        }
        ended.complete(null);
        return Behaviors.same();
    }
}
