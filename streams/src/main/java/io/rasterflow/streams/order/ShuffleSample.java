package io.rasterflow.streams.order;

import io.rasterflow.streams.order.ShuffleQuality.Compared;
import io.rasterflow.streams.order.ShuffleQuality.Labels;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Batches drawn from an order, in ascending positions so that each window is worked out once; sums over them. */
final class ShuffleSample {

    private static final int POSITIONS = 1 << 16;
    private static final int MIN_BATCHES_PER_EPOCH = 2;
    private static final long STREAM = 0x5348_5546L;

    private final SampleOrder order;
    private final long size;
    private final int batch;
    private final int batchesPerEpoch;
    private long distinctShards;
    private long pairs;
    private double distance;
    private double squaredDistance;

    ShuffleSample(SampleOrder order, int batch) {
        if (batch < 1) {
            throw new IllegalArgumentException("the batch must be at least 1 but is " + batch);
        }
        this.order = order;
        this.size = order.size();
        this.batch = (int) Math.min(batch, size);
        this.batchesPerEpoch = Math.max(MIN_BATCHES_PER_EPOCH, POSITIONS / ShuffleQuality.EPOCHS / this.batch);
    }

    private int batches() {
        return ShuffleQuality.EPOCHS * batchesPerEpoch;
    }

    /** Position of the first image of a drawn batch: one in each of as many equal parts of the epoch. */
    private long start(int drawn) {
        long epoch = drawn / batchesPerEpoch;
        int part = drawn % batchesPerEpoch;
        double place = (part + CounterRandom.of(STREAM, epoch, part).uniform(0)) / batchesPerEpoch;
        return epoch * size + Math.min((long) (place * (size - batch + 1)), size - batch);
    }

    /** Sums what depends on places alone. */
    void draw() {
        int[] shards = new int[batch];
        for (int drawn = 0; drawn < batches(); drawn++) {
            long start = start(drawn);
            long before = -1;
            for (int i = 0; i < batch; i++) {
                SampleId id = order.at(start + i);
                shards[i] = id.shard();
                long number = order.sampleNumber(id);
                if (i > 0) {
                    addPair(before, number);
                }
                before = number;
            }
            if ((start + batch) % size != 0) { // batches of one image have neighbours too
                addPair(before, order.sampleNumber(order.at(start + batch)));
            }
            distinctShards += Arrays.stream(shards).distinct().count();
        }
    }

    private void addPair(long first, long second) {
        double apart = second - first;
        pairs++;
        distance += Math.abs(apart);
        squaredDistance += apart * apart;
    }

    ShuffleQuality result(Optional<Compared> labelDistance) {
        Compared shards = new Compared((double) distinctShards / batches(), distinctShardsOfFullShuffle());
        if (size == 1) {
            return new ShuffleQuality(batch, batches(), shards, Optional.empty(), Optional.empty(), labelDistance);
        }
        double variance = ((double) size * size - 1) / 12;
        return new ShuffleQuality(
                batch,
                batches(),
                shards,
                Optional.of(new Compared(distance / pairs, (size + 1) / 3.0)),
                Optional.of(new Compared(1 - squaredDistance / pairs / (2 * variance), -1.0 / (size - 1))),
                labelDistance);
    }

    private double distinctShardsOfFullShuffle() {
        Map<Integer, Integer> shardsOfSize = new HashMap<>();
        for (int shard = 0; shard < order.shards(); shard++) {
            shardsOfSize.merge(order.shardSize(shard), 1, Integer::sum);
        }
        double expected = 0;
        for (Map.Entry<Integer, Integer> e : shardsOfSize.entrySet()) {
            expected += e.getValue() * (1 - Hypergeometric.chanceOfNone(size, e.getKey(), batch));
        }
        return expected;
    }

    /** The mean total-variation distance of the drawn batches' labels from the histogram. */
    Compared labelDistance(Map<Integer, Long> histogram, Labels labels) throws IOException {
        double distances = 0;
        for (int drawn = 0; drawn < batches(); drawn++) {
            long start = start(drawn);
            Map<Integer, Integer> inBatch = new HashMap<>();
            for (int i = 0; i < batch; i++) {
                SampleId id = order.at(start + i);
                inBatch.merge(labels.label(id.shard(), id.sample()), 1, Integer::sum);
            }
            distances += distance(inBatch, histogram);
        }
        Map<Long, Double> deviations = new HashMap<>(); // many labels are equally frequent
        double expected = 0;
        for (long count : histogram.values()) {
            expected += deviations.computeIfAbsent(count, c -> Hypergeometric.meanAbsoluteDeviation(size, c, batch))
                    / batch;
        }
        return new Compared(distances / batches(), expected / 2);
    }

    /** Half the sum of absolute differences is the sum of the positive ones, and those are of labels in the batch. */
    private double distance(Map<Integer, Integer> inBatch, Map<Integer, Long> histogram) {
        double sum = 0;
        for (Map.Entry<Integer, Integer> e : inBatch.entrySet()) {
            double share = (double) histogram.getOrDefault(e.getKey(), 0L) / size;
            sum += Math.max(0, (double) e.getValue() / batch - share);
        }
        return sum;
    }
}
