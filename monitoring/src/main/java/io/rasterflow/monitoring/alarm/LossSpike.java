package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;

/** A loss far above the median of those before it, in robust standard deviations. */
final class LossSpike implements Detector {

    private static final int WINDOW = 101;
    private static final int ENOUGH = 51;
    /** Steps in a row near the median until it is over. */
    private static final int CALM = 10;
    /** A loss that hardly varies has no spike of less than some of these, as a share of the median. */
    private static final double LEAST_DEVIATION = 0.005;

    private final AlarmConfig config;
    private final Window losses = new Window(WINDOW);
    private int calm;

    LossSpike(AlarmConfig config) {
        this.config = config;
    }

    @Override
    public void step(Event.Step step, Board board) {
        if (step.rank() != 0) {
            return;
        }
        boolean judged = board.live() || board.isRaised(AlarmKind.LOSS_SPIKE, "");
        if (judged && losses.size() >= ENOUGH && Double.isFinite(step.loss())) {
            judge(step, board);
        }
        losses.add(step.loss());
    }

    private void judge(Event.Step step, Board board) {
        double median = losses.median();
        double deviation = Math.max(losses.deviation(), LEAST_DEVIATION * Math.abs(median));
        double limit = median + config.spikeDeviations() * deviation;
        boolean over = step.loss() > limit;
        calm = step.loss() > (median + limit) / 2 ? 0 : calm + 1;
        board.judge(
                AlarmKind.LOSS_SPIKE,
                "",
                over,
                calm >= CALM,
                step.loss(),
                limit,
                () -> over
                        ? format(
                                "the loss of step %d is %.4g, %.0f robust standard deviations above the median %.4g of"
                                        + " the %d steps before it (an alarm from %.4g on)",
                                step.step(),
                                step.loss(),
                                (step.loss() - median) / deviation,
                                median,
                                losses.size(),
                                limit)
                        : format("the loss has been near its median %.4g for %d steps", median, CALM));
    }
}
