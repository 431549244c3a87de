package io.rasterflow.monitoring.monitor;

import java.util.ArrayList;
import java.util.List;

/**
 * A curve over steps in bounded memory that keeps its extremes. Steps fall into buckets of equal width; a bucket keeps its
 * lowest and highest point and its last. When there are too many buckets the width doubles and neighbours merge, so the
 * resolution is even over the whole run and a spike of one step stays visible however long the run is.
 *
 * <pre>
 *   width 4:   |0 1 2 3|4 5 6 7|8 9        at most 3 points a bucket: (min, max, last)
 *   width 8:   |0 1 2 3 4 5 6 7|8 9        after doubling
 * </pre>
 */
final class Series {

    /** A value at a step. */
    record Point(long step, double value) {}

    private static final class Bucket {
        final long index;
        Point min;
        Point max;
        Point last;

        Bucket(long index, Point first) {
            this.index = index;
            this.min = first;
            this.max = first;
            this.last = first;
        }

        void add(Point point) {
            // Comparisons are false for NaN: a curve that went to NaN keeps its finite extremes and its last point.
            if (point.value() < min.value() || Double.isNaN(min.value())) {
                min = point;
            }
            if (point.value() > max.value() || Double.isNaN(max.value())) {
                max = point;
            }
            last = point;
        }

        void appendTo(List<Point> points) {
            Point first = min.step() <= max.step() ? min : max;
            Point second = min.step() <= max.step() ? max : min;
            points.add(first);
            if (second.step() > first.step()) {
                points.add(second);
            }
            if (last.step() > second.step()) {
                points.add(last);
            }
        }
    }

    private final int capacity;
    private final List<Bucket> buckets = new ArrayList<>();
    private long width = 1;
    /** Changes whenever points that were already given out may have gone. */
    private long version;

    Series(int capacity) {
        this.capacity = capacity;
    }

    /** Adds a point; one at or before the last step replaces what was known from that step on (a step done again). */
    void add(long step, double value) {
        if (!buckets.isEmpty() && step <= lastStep()) {
            truncate(step - 1);
        }
        Point point = new Point(step, value);
        long index = Math.floorDiv(step, width);
        if (!buckets.isEmpty() && tail().index == index) {
            tail().add(point);
            return;
        }
        buckets.add(new Bucket(index, point));
        if (buckets.size() > capacity) {
            doubleWidth();
        }
    }

    /** Forgets what came after a step. A merged bucket that reaches beyond it keeps the points that do not. */
    void truncate(long step) {
        while (!buckets.isEmpty() && tail().last.step() > step) {
            Bucket removed = buckets.remove(buckets.size() - 1);
            version++;
            List<Point> points = new ArrayList<>(3);
            removed.appendTo(points);
            points.removeIf(point -> point.step() > step);
            if (!points.isEmpty()) {
                Bucket kept = new Bucket(removed.index, points.get(0));
                points.forEach(kept::add);
                buckets.add(kept);
            }
        }
    }

    private void doubleWidth() {
        width *= 2;
        version++;
        List<Bucket> merged = new ArrayList<>(buckets.size() / 2 + 1);
        for (Bucket bucket : buckets) {
            long index = Math.floorDiv(bucket.min.step(), width);
            Bucket target = merged.isEmpty() ? null : merged.get(merged.size() - 1);
            if (target == null || target.index != index) {
                target = new Bucket(index, bucket.min.step() <= bucket.max.step() ? bucket.min : bucket.max);
                merged.add(target);
            }
            List<Point> points = new ArrayList<>(3);
            bucket.appendTo(points);
            points.forEach(target::add);
        }
        buckets.clear();
        buckets.addAll(merged);
    }

    private Bucket tail() {
        return buckets.get(buckets.size() - 1);
    }

    long lastStep() {
        return buckets.isEmpty() ? Long.MIN_VALUE : tail().last.step();
    }

    long version() {
        return version;
    }

    /** First step of the bucket that a step falls into: what may still change when that step was the last one. */
    long bucketStart(long step) {
        return Math.floorDiv(step, width) * width;
    }

    /** The points from a step on, by step. */
    List<Point> from(long step) {
        List<Point> points = new ArrayList<>();
        int first = buckets.size();
        while (first > 0 && buckets.get(first - 1).last.step() >= step) {
            first--;
        }
        for (Bucket bucket : buckets.subList(first, buckets.size())) {
            bucket.appendTo(points);
        }
        points.removeIf(point -> point.step() < step);
        return points;
    }
}
