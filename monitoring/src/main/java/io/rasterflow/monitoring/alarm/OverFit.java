package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;

/** The validation loss rises above its best, several times in a row, while the training loss does not. */
final class OverFit implements Detector {

    private static final int WINDOW = 51;

    private final AlarmConfig config;
    private final Window training = new Window(WINDOW);
    private long lastStep = -1;
    private double best = Double.NaN;
    private long bestStep;
    private double trainingAtBest;
    private int above;

    OverFit(AlarmConfig config) {
        this.config = config;
    }

    @Override
    public void step(Event.Step step, Board board) {
        if (step.rank() == 0) {
            training.add(step.loss());
        }
    }

    @Override
    public void event(Event event, long nowMillis, Board board) {
        if (!(event instanceof Event.Validation validation)
                || validation.step() <= lastStep
                || !Double.isFinite(validation.loss())) {
            return;
        }
        lastStep = validation.step();
        double loss = validation.loss();
        double now = training.median();
        if (!(loss >= best)) {
            best = loss;
            bestStep = validation.step();
            trainingAtBest = now;
        }
        double rise = config.overFitRise() * Math.abs(best);
        // Where both rise it is not over-fitting; unknown before the end of the warm-up, when NaN compares false.
        boolean both = now > trainingAtBest;
        above = loss > best + rise && !both ? above + 1 : 0;
        boolean over = above >= config.overFitValidations();
        board.judge(
                AlarmKind.OVER_FIT,
                "",
                over,
                loss <= best + rise / 2,
                loss,
                best + rise,
                () -> over
                        ? format(
                                "the validation loss of step %d is %.4g, %.1f %% above its best, %.4g at step %d, while the"
                                        + " training loss does not rise (validations in a row above %.4g: %d)",
                                validation.step(), loss, 100 * (loss / best - 1), best, bestStep, best + rise, above)
                        : format("the validation loss is %.4g again, near its best", loss));
    }
}
