package io.rasterflow.monitoring.science;

import java.util.ArrayList;
import java.util.List;

/**
 * A loss as means over windows of equal width, in bounded memory: when there are too many windows, neighbours merge. Losses
 * that are no finite number are left out. Not thread-safe.
 */
final class LossCurve {

    private static final int CAPACITY = 512;

    /** Sums over the steps [index · width, (index + 1) · width) that were seen. */
    private record Window(long index, int count, double steps, double losses) {
        Window plus(Window other, long newIndex) {
            return new Window(newIndex, count + other.count, steps + other.steps, losses + other.losses);
        }
    }

    private final List<Window> windows = new ArrayList<>();
    private long width = 1;
    private long last = -1;

    /** Adds a step; one at or before the last replaces what is known from its window on. */
    void add(long step, double loss) {
        if (step <= last) {
            truncate(step - 1);
        }
        if (!Double.isFinite(loss)) {
            return;
        }
        last = step;
        append(windows, new Window(step / width, 1, step, loss));
        if (windows.size() > CAPACITY) {
            width *= 2;
            List<Window> merged = new ArrayList<>();
            windows.forEach(window ->
                    append(merged, new Window(window.index() / 2, window.count(), window.steps(), window.losses())));
            windows.clear();
            windows.addAll(merged);
        }
    }

    private static void append(List<Window> to, Window window) {
        int end = to.size() - 1;
        if (end >= 0 && to.get(end).index() == window.index()) {
            to.set(end, to.get(end).plus(window, window.index()));
        } else {
            to.add(window);
        }
    }

    /** Forgets the windows that reach beyond a step. */
    void truncate(long step) {
        windows.removeIf(window -> (window.index() + 1) * width - 1 > step);
        last = Math.min(last, step);
    }

    /** The last step; -1 before the first. */
    long last() {
        return last;
    }

    /** Means over the steps from {@code first} to before {@code end}, of at most {@code most} windows of about as many steps. */
    Means means(double first, double end, int most) {
        List<Window> inside = windows.stream()
                .filter(window -> window.index() * width >= first && (window.index() + 1) * width <= end)
                .toList();
        int n = Math.min(most, inside.size());
        double[] steps = new double[n];
        double[] losses = new double[n];
        double[] counts = new double[n];
        for (int i = 0; i < n; i++) {
            Window sum = new Window(i, 0, 0, 0);
            for (Window window : inside.subList(i * inside.size() / n, (i + 1) * inside.size() / n)) {
                sum = sum.plus(window, i);
            }
            counts[i] = sum.count();
            steps[i] = sum.steps() / sum.count();
            losses[i] = sum.losses() / sum.count();
        }
        return new Means(steps, losses, counts);
    }

    /**
     * Means of windows, by step.
     *
     * @param steps mean step of each
     * @param losses mean loss of each
     * @param counts steps of each
     */
    record Means(double[] steps, double[] losses, double[] counts) {

        int size() {
            return steps.length;
        }

        /** Standard deviation of the loss of a single step, from the differences of neighbours, which hold no trend. */
        double deviation() {
            double sum = 0;
            for (int i = 1; i < size(); i++) {
                double difference = losses[i] - losses[i - 1];
                sum += difference * difference / (1 / counts[i] + 1 / counts[i - 1]);
            }
            return Math.sqrt(sum / Math.max(1, size() - 1));
        }
    }
}
