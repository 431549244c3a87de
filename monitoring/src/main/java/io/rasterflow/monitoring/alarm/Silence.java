package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;

/** A run that has begun, is not at its end and was not paused does nothing. */
final class Silence implements Detector {

    private static final int WINDOW = 21;
    /** Usual steps that may always pass, however long they are. */
    private static final double STEPS = 10;

    private final AlarmConfig config;
    private final long steps;
    private final Window stepSeconds = new Window(WINDOW);
    private boolean training;
    private boolean paused;
    private double idleSeconds;

    /** @param steps step at which the run ends; what comes after it may take its time */
    Silence(AlarmConfig config, long steps) {
        this.config = config;
        this.steps = steps;
    }

    @Override
    public void event(Event event, long nowMillis, Board board) {
        boolean progress = event instanceof Event.Validation
                || event instanceof Event.Probe
                || event instanceof Event.Checkpoint
                || event instanceof Event.Formed;
        if (event instanceof Event.Step step) {
            progress = true;
            training = step.step() + 1 < steps;
            stepSeconds.add(step.ledger().total());
        } else if (event instanceof Event.RunEnded) {
            training = false;
        }
        if (event instanceof Event.Action action && (action.pauses() || action.resumes())) {
            paused = action.pauses();
            progress = true;
        } else if (event instanceof Event.Membership membership && membership.forms()) {
            paused = false;
        }
        if (progress || event instanceof Event.RunEnded) {
            idleSeconds = 0;
            board.clear(AlarmKind.SILENCE, subject -> true, "the run goes on");
        }
    }

    @Override
    public void tick(double seconds, Board board) {
        idleSeconds += paused ? 0 : seconds;
        double limit = Math.max(config.silenceSeconds(), STEPS * stepSeconds.median());
        board.judge(
                AlarmKind.SILENCE,
                "",
                training && idleSeconds > limit,
                false,
                idleSeconds,
                limit,
                () -> format(
                        "no rank has finished a step, and nothing was validated, probed or written, for %.0f s (an alarm"
                                + " after %.0f s)",
                        idleSeconds, limit));
    }
}
