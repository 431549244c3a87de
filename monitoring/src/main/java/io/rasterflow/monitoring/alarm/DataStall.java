package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import java.util.Map;
import java.util.TreeMap;

/** A rank spends most of its step waiting for images. */
final class DataStall implements Detector {

    private static final int WINDOW = 51;
    /** Of the alarm's share, below which it is over. */
    private static final double OVER = 0.7;

    private final AlarmConfig config;
    private final Map<Integer, Window> shares = new TreeMap<>();
    private long generation = -1;

    DataStall(AlarmConfig config) {
        this.config = config;
    }

    @Override
    public void step(Event.Step step, Board board) {
        if (step.generation() > generation) {
            generation = step.generation();
            shares.clear();
            board.clear(AlarmKind.DATA_STALL, subject -> true, "generation " + generation + " has begun");
        }
        Ledger ledger = step.ledger();
        Window window = shares.computeIfAbsent(step.rank(), rank -> new Window(WINDOW));
        window.add((ledger.fetch() + ledger.decode()) / ledger.total());
        if (!window.full() || !board.live()) {
            return;
        }
        double share = window.median();
        boolean over = share > config.stallShare();
        board.judge(
                AlarmKind.DATA_STALL,
                "rank " + step.rank(),
                over,
                share < OVER * config.stallShare(),
                share,
                config.stallShare(),
                () -> over
                        ? format(
                                "rank %d (%s) waits for images during %.0f %% of its steps, in the median of the last %d (an"
                                        + " alarm above %.0f %%)",
                                step.rank(), step.node(), 100 * share, WINDOW, 100 * config.stallShare())
                        : format(
                                "rank %d (%s) waits for images during %.0f %% now",
                                step.rank(), step.node(), 100 * share));
    }
}
