package io.rasterflow.monitoring.monitor;

import java.util.ArrayDeque;
import java.util.Deque;

/** How fast the run is, from rank 0's steps. */
final class Throughput {

    private static final int WINDOW = 256;

    private record Mark(long timeMillis, long step) {}

    private final Average secondsPerImage = new Average();
    private final Deque<Mark> marks = new ArrayDeque<>();
    private double seconds;
    private long images;

    void restart() {
        marks.clear();
    }

    void add(long timeMillis, long step, int stepImages, double stepSeconds) {
        if (!marks.isEmpty() && step <= marks.getLast().step()) {
            marks.clear();
        }
        marks.add(new Mark(timeMillis, step));
        if (marks.size() > WINDOW) {
            marks.removeFirst();
        }
        if (stepSeconds > 0 && Double.isFinite(stepSeconds) && stepImages > 0) {
            secondsPerImage.add(stepSeconds / stepImages);
            seconds += stepSeconds;
            images += stepImages;
        }
    }

    double imagesPerSecond() {
        return 1 / secondsPerImage.value();
    }

    double imagesPerSecondAverage() {
        return seconds > 0 ? images / seconds : Double.NaN;
    }

    /** By the wall clock of the last steps, so that pauses between steps count. */
    double secondsFor(long steps) {
        if (steps <= 0) {
            return 0;
        }
        if (marks.size() < 2) {
            return Double.NaN;
        }
        double elapsed = (marks.getLast().timeMillis() - marks.getFirst().timeMillis()) / 1000.0;
        return elapsed / (marks.getLast().step() - marks.getFirst().step()) * steps;
    }
}
