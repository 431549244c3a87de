package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;

/** The median loss has risen far above the best that it had, or a loss is not finite. */
final class Divergence implements Detector {

    private static final int WINDOW = 51;
    /** Standard deviations of the loss, at its best, that a rise must exceed. */
    private static final double DEVIATIONS = 4;

    private final AlarmConfig config;
    private final Window losses = new Window(WINDOW);
    private double best = Double.NaN;
    private double deviation;
    private long count;
    /** Finite losses in a row. */
    private int finite;

    Divergence(AlarmConfig config) {
        this.config = config;
    }

    @Override
    public void step(Event.Step step, Board board) {
        if (step.rank() != 0) {
            return;
        }
        if (!Double.isFinite(step.loss())) {
            finite = 0;
            board.judge(
                    AlarmKind.DIVERGENCE,
                    "",
                    true,
                    false,
                    step.loss(),
                    Double.NaN,
                    () -> format("the loss of step %d is %s, which is no number", step.step(), step.loss()));
            return;
        }
        finite++;
        losses.add(step.loss());
        if (!losses.full()) {
            return;
        }
        if (!Double.isNaN(best) && board.live()) {
            judge(step, board);
        }
        if (++count % WINDOW == 1) {
            double median = losses.median();
            if (!(median >= best)) {
                best = median;
                deviation = losses.deviation();
            }
        }
    }

    private void judge(Event.Step step, Board board) {
        double median = losses.median();
        double rise = Math.max(config.divergenceRise() * Math.abs(best), DEVIATIONS * deviation);
        boolean over = median > best + rise;
        board.judge(
                AlarmKind.DIVERGENCE,
                "",
                over,
                median < best + rise / 2 && finite >= WINDOW,
                median,
                best + rise,
                () -> over
                        ? format(
                                "the median loss of the last %d steps, %.4g at step %d, is %.0f %% above the best so far,"
                                        + " %.4g (an alarm from %.4g on)",
                                WINDOW, median, step.step(), 100 * (median / best - 1), best, best + rise)
                        : format("the median loss is %.4g again, near its best, %.4g", median, best));
    }
}
