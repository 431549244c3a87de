package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;

/** Gradients have vanished: their norm is zero, or a tiny share of what was usual in this run. */
final class DeadGradients implements Detector {

    private static final int BLOCK = 21;
    private static final int USUAL = 101;
    /** Times the share of the alarm at which it is over. */
    private static final double ALIVE = 10;

    private final AlarmConfig config;
    private final Window block = new Window(BLOCK);
    private final Window usual = new Window(USUAL);

    DeadGradients(AlarmConfig config) {
        this.config = config;
    }

    @Override
    public void step(Event.Step step, Board board) {
        if (step.rank() != 0) {
            return;
        }
        block.add(step.gradientNorm());
        if (!block.full()) {
            return;
        }
        double norm = block.median();
        block.clear();
        double reference = usual.size() == 0 ? 0 : usual.median();
        double limit = config.deadGradientShare() * reference;
        boolean over = norm <= limit;
        board.judge(
                AlarmKind.DEAD_GRADIENTS,
                "",
                over,
                norm > ALIVE * limit,
                norm,
                limit,
                () -> over
                        ? format(
                                "the gradient norm, %.3g in the median of the %d steps to step %d, has vanished: usual was"
                                        + " %.3g (an alarm from %.3g down)",
                                norm, BLOCK, step.step(), reference, limit)
                        : format("the gradient norm is %.3g again", norm));
        if (!over) {
            usual.add(norm);
        }
    }
}
