package io.rasterflow.monitoring.alarm;

import static io.rasterflow.monitoring.alarm.Board.format;

import io.rasterflow.monitoring.event.Event;
import java.util.Map;
import java.util.TreeMap;

/**
 * A node's clock differs from the monitor's. What is seen is the time in an event minus that of its arrival, which is the
 * difference of the clocks minus the way; of the events of half a minute the one that came fastest says most.
 */
final class ClockSkew implements Detector {

    private static final long PERIOD_MILLIS = 30_000;
    private static final int ENOUGH = 5;
    /** Of the limit, below which it is over. */
    private static final double OVER = 0.5;

    private static final class Period {
        private final long begun;
        private double ahead = Double.NEGATIVE_INFINITY;
        private int events;

        Period(long begun) {
            this.begun = begun;
        }
    }

    private final AlarmConfig config;
    private final Map<String, Period> nodes = new TreeMap<>();

    ClockSkew(AlarmConfig config) {
        this.config = config;
    }

    @Override
    public void event(Event event, long nowMillis, Board board) {
        // What a journal holds has no time of arrival.
        if (!board.live()) {
            return;
        }
        Period period = nodes.computeIfAbsent(event.node(), unseen -> new Period(nowMillis));
        period.ahead = Math.max(period.ahead, (event.timeMillis() - nowMillis) / 1000.0);
        period.events++;
        if (nowMillis - period.begun >= PERIOD_MILLIS && period.events >= ENOUGH) {
            nodes.put(event.node(), new Period(nowMillis));
            judge(event.node(), period.ahead, board);
        }
    }

    private void judge(String node, double ahead, Board board) {
        double limit = config.clockSkewSeconds();
        boolean over = Math.abs(ahead) > limit;
        board.judge(
                AlarmKind.CLOCK_SKEW,
                node,
                over,
                Math.abs(ahead) < OVER * limit,
                ahead,
                limit,
                () -> over
                        ? format(
                                "the clock of %s is %.1f s %s that of the monitor's node (an alarm beyond %.1f s)",
                                node, Math.abs(ahead), ahead > 0 ? "ahead of" : "behind", limit)
                        : format("the clock of %s is right to %.1f s", node, Math.abs(ahead)));
    }
}
