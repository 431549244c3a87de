package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;

/**
 * The loss does not fall any more although the learning rate is still high: from the first half of the last steps to the
 * second, the median falls by less than a share of it, and by more than that only beyond three standard errors. A loss
 * that is too noisy to tell raises nothing. While the schedule lowers the rate, an end of the fall is what it is for.
 */
final class Plateau implements Detector {

    /** Medians of blocks are kept in place of losses. */
    private static final int BLOCKS = 40;
    /** Of the peak learning rate, below which nothing is judged. */
    private static final double HIGH = 0.5;

    private static final double ERRORS = 3;
    /** Standard error of a median in those of a mean. */
    private static final double MEDIAN_ERROR = 1.2533;

    private final AlarmConfig config;
    private final Window block;
    private final Window blocks = new Window(BLOCKS);
    private int inBlock;
    private double peak;

    /** @param steps of the whole run */
    Plateau(AlarmConfig config, long steps) {
        this.config = config;
        this.block = new Window((int) Math.min(1 << 20, Math.max(config.plateauSteps(), steps / 10) / BLOCKS));
    }

    @Override
    public void step(Event.Step step, Board board) {
        if (step.rank() != 0) {
            return;
        }
        peak = Math.max(peak, step.learningRate());
        block.add(step.loss());
        if (++inBlock < block.capacity()) {
            return;
        }
        inBlock = 0;
        blocks.add(block.median());
        block.clear();
        if (step.learningRate() < HIGH * peak) {
            board.clear(AlarmKind.PLATEAU, subject -> true, "the schedule lowers the learning rate");
        } else if (blocks.full()) {
            judge(board);
        }
    }

    private void judge(Board board) {
        Window older = blocks.half(false);
        Window newer = blocks.half(true);
        double from = older.median();
        double to = newer.median();
        double scale = Math.abs(from);
        double error = MEDIAN_ERROR * Math.hypot(older.deviation(), newer.deviation()) / Math.sqrt(BLOCKS / 2.0);
        double fall = (from - to) / scale;
        double atMost = fall + ERRORS * error / scale;
        int steps = BLOCKS * block.capacity();
        board.judge(
                AlarmKind.PLATEAU,
                "",
                atMost < config.plateauFall(),
                fall > 2 * config.plateauFall(),
                fall,
                config.plateauFall(),
                () -> atMost < config.plateauFall()
                        ? format(
                                "the loss has not fallen over the last %d steps: %.5g in their first half, %.5g in the"
                                        + " second, while the learning rate is high (an alarm below a fall of %.2g %%)",
                                steps, from, to, 100 * config.plateauFall())
                        : format("the loss falls again, by %.2g %% over the last %d steps", 100 * fall, steps));
    }
}
