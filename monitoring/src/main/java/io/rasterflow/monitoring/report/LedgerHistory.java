package io.rasterflow.monitoring.report;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * Where the time of a step went, over the run, in bounded memory: the mean over all ranks of buckets of steps of equal width.
 * When there are too many buckets the width doubles and neighbours merge.
 */
final class LedgerHistory {

    private static final int CAPACITY = 120;

    private static final class Bucket {
        private final double[] seconds = new double[Ledger.PARTS.size()];
        private long steps;

        void add(Bucket other) {
            for (int part = 0; part < seconds.length; part++) {
                seconds[part] += other.seconds[part];
            }
            steps += other.steps;
        }
    }

    private final TreeMap<Long, Bucket> buckets = new TreeMap<>();
    private long width = 1;

    void add(Event.Step step) {
        Bucket bucket = buckets.computeIfAbsent(Math.floorDiv(step.step(), width), index -> new Bucket());
        int part = 0;
        for (ToDoubleFunction<Ledger> seconds : Ledger.PARTS.values()) {
            bucket.seconds[part++] += seconds.applyAsDouble(step.ledger());
        }
        bucket.steps++;
        if (buckets.size() > CAPACITY) {
            doubleWidth();
        }
    }

    private void doubleWidth() {
        width *= 2;
        TreeMap<Long, Bucket> merged = new TreeMap<>();
        buckets.forEach((index, bucket) -> merged.computeIfAbsent(Math.floorDiv(index, 2L), unseen -> new Bucket())
                .add(bucket));
        buckets.clear();
        buckets.putAll(merged);
    }

    /** Forgets the buckets after a step, which will be done again. */
    void truncate(long step) {
        buckets.tailMap(Math.floorDiv(step, width), false).clear();
    }

    /** First steps of the buckets. */
    double[] steps() {
        return buckets.keySet().stream().mapToDouble(index -> index * width).toArray();
    }

    /** Mean seconds of each part in each bucket, by the names of {@link #Ledger.PARTS}. */
    Map<String, double[]> means() {
        Map<String, double[]> means = new LinkedHashMap<>();
        List<String> names = new ArrayList<>(Ledger.PARTS.keySet());
        for (int part = 0; part < names.size(); part++) {
            int number = part;
            means.put(
                    names.get(part),
                    buckets.values().stream()
                            .mapToDouble(bucket -> bucket.seconds[number] / bucket.steps)
                            .toArray());
        }
        return means;
    }
}
