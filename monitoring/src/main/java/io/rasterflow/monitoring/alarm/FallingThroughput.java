package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;

/** The run has become slower than it was with the same ranks. Pauses between steps, as for validation, do not count. */
final class FallingThroughput implements Detector {

    private static final int BLOCK = 51;
    /** Blocks whose upper quartile is the usual rate. */
    private static final int USUAL = 100;

    private static final int ENOUGH = 3;
    private static final double QUARTILE = 0.75;
    /** Slow blocks in a row. */
    private static final int ROW = 2;

    private final AlarmConfig config;
    private final Window block = new Window(BLOCK);
    private final Window usual = new Window(USUAL);
    private long generation = -1;
    private int slow;

    FallingThroughput(AlarmConfig config) {
        this.config = config;
    }

    @Override
    public void step(Event.Step step, Board board) {
        if (step.rank() != 0) {
            return;
        }
        if (step.generation() > generation) {
            generation = step.generation();
            block.clear();
            usual.clear();
            slow = 0;
            board.clear(AlarmKind.THROUGHPUT, subject -> true, "generation " + generation + " has begun");
        }
        block.add(step.images() / step.ledger().total());
        if (!block.full()) {
            return;
        }
        double rate = block.median();
        block.clear();
        if (usual.size() >= ENOUGH) {
            judge(step, rate, board);
        }
        // A slow pace that lasts does not become the usual one.
        if (slow == 0) {
            usual.add(rate);
        }
    }

    private void judge(Event.Step step, double rate, Board board) {
        double reference = usual.quantile(QUARTILE);
        double limit = (1 - config.throughputFall()) * reference;
        slow = rate < limit ? slow + 1 : 0;
        boolean over = slow >= ROW;
        board.judge(
                AlarmKind.THROUGHPUT,
                "",
                over,
                rate > (1 - config.throughputFall() / 2) * reference,
                rate,
                limit,
                () -> over
                        ? format(
                                "%.4g images per second at step %d, in the median of %d steps, are %.0f %% fewer than usual,"
                                        + " %.4g (an alarm from %.0f %% on)",
                                rate,
                                step.step(),
                                BLOCK,
                                100 * (1 - rate / reference),
                                reference,
                                100 * config.throughputFall())
                        : format("%.4g images per second again", rate));
    }
}
