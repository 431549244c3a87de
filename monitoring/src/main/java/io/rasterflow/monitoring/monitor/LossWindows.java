package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.monitor.Series.Point;
import java.util.ArrayDeque;
import java.util.Deque;

/** Means of a loss over its first and last steps. */
final class LossWindows {

    static final int FIRST = 10;
    static final int LAST = 50;

    private final Deque<Point> first = new ArrayDeque<>();
    private final Deque<Point> last = new ArrayDeque<>();

    void add(long step, double loss) {
        truncate(step - 1);
        Point point = new Point(step, loss);
        if (first.size() < FIRST) {
            first.add(point);
        }
        last.add(point);
        if (last.size() > LAST) {
            last.removeFirst();
        }
    }

    /** Forgets steps that will be done again. */
    void truncate(long step) {
        first.removeIf(point -> point.step() > step);
        last.removeIf(point -> point.step() > step);
    }

    double firstMean() {
        return mean(first);
    }

    double lastMean() {
        return mean(last);
    }

    private static double mean(Deque<Point> points) {
        return points.stream().mapToDouble(Point::value).average().orElse(Double.NaN);
    }
}
