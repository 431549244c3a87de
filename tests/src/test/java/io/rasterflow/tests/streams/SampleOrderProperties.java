package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.order.CounterRandom;
import io.rasterflow.streams.order.KeyedPermutation;
import io.rasterflow.streams.order.SampleId;
import io.rasterflow.streams.order.SampleOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import net.jqwik.api.Assume;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

/** Order is a pure function of seed, epoch and position that covers every epoch exactly. */
class SampleOrderProperties {

    @Property(tries = 200)
    void permutationIsABijection(@ForAll @IntRange(min = 1, max = 3000) int n, @ForAll long key) {
        KeyedPermutation permutation = new KeyedPermutation(n, key);
        boolean[] seen = new boolean[n];
        for (int i = 0; i < n; i++) {
            int value = (int) permutation.apply(i);
            assertTrue(!seen[value], "twice: " + value);
            seen[value] = true;
        }
    }

    @Property(tries = 200)
    void hugePermutationStaysInRange(@ForAll @LongRange(min = 1, max = 1L << 62) long n, @ForAll long key) {
        KeyedPermutation permutation = new KeyedPermutation(n, key);
        Set<Long> seen = new HashSet<>();
        long tried = Math.min(n, 50);
        for (long i = 0; i < tried; i++) {
            long value = permutation.apply(n - 1 - i);
            assertTrue(value >= 0 && value < n);
            seen.add(value);
        }
        assertEquals(tried, seen.size());
    }

    @Property(tries = 100)
    void everyEpochIsAnExactCover(
            @ForAll long seed,
            @ForAll @Size(min = 1, max = 12) List<@IntRange(min = 0, max = 60) Integer> counts,
            @ForAll @IntRange(min = 1, max = 14) int window,
            @ForAll @LongRange(min = 0, max = 1_000_000) long epoch) {
        int[] shardCounts = counts.stream().mapToInt(Integer::intValue).toArray();
        long size = counts.stream().mapToLong(Integer::longValue).sum();
        Assume.that(size > 0);
        SampleOrder order = new SampleOrder(seed, shardCounts, window);
        Set<SampleId> seen = new HashSet<>();
        for (long r = 0; r < size; r++) {
            SampleId id = order.at(epoch * size + r);
            assertEquals(epoch, id.epoch());
            assertTrue(id.sample() >= 0 && id.sample() < shardCounts[id.shard()]);
            assertEquals(id, order.sample(epoch, order.sampleNumber(id)));
            assertTrue(seen.add(id), "twice: " + id);
        }
        assertEquals(size, seen.size());
    }

    @Property(tries = 50)
    void epochsAndSeedsDiffer(@ForAll long seed, @ForAll @LongRange(min = 0, max = 1000) long epoch) {
        int[] counts = {100, 50, 200, 7};
        SampleOrder order = new SampleOrder(seed, counts, 2);
        assertNotEquals(numbers(order, epoch, 357), numbers(order, epoch + 1, 357));
        assertNotEquals(numbers(order, epoch, 357), numbers(new SampleOrder(seed + 1, counts, 2), epoch, 357));
    }

    @Property(tries = 50)
    void samplesOfAWindowComeFromItsShardsOnly(@ForAll long seed, @ForAll @IntRange(min = 1, max = 5) int window) {
        int[] counts = {10, 10, 10, 10, 10, 10, 10};
        SampleOrder order = new SampleOrder(seed, counts, window);
        for (int first = 0; first < 70; first += window * 10) {
            Set<Integer> shards = new HashSet<>();
            for (int r = first; r < Math.min(70, first + window * 10); r++) {
                shards.add(order.at(r).shard());
            }
            assertTrue(shards.size() <= window, "shards " + shards + " in a window of " + window);
        }
    }

    @Property(tries = 100)
    void anyWorldSizeAndAnyRestartCoverTheSamePositions(
            @ForAll @IntRange(min = 1, max = 300) int globalBatch,
            @ForAll @IntRange(min = 1, max = 16) int microBatches,
            @ForAll @IntRange(min = 1, max = 9) int ranks,
            @ForAll @LongRange(min = 0, max = 1L << 40) long resumeAt) {
        Assume.that(microBatches <= globalBatch);
        BatchPlan plan = new BatchPlan(globalBatch, microBatches);
        List<Long> positions = new ArrayList<>();
        for (long step = resumeAt; step < resumeAt + 3; step++) {
            for (int rank = 0; rank < ranks; rank++) {
                for (int m = microBatches * rank / ranks; m < microBatches * (rank + 1) / ranks; m++) {
                    long first = plan.firstPosition(step, m);
                    LongStream.range(first, first + plan.size(m)).forEach(positions::add);
                    assertTrue(plan.maxSize() - plan.size(m) <= 1);
                }
            }
        }
        List<Long> expected = LongStream.range(resumeAt * globalBatch, (resumeAt + 3) * globalBatch)
                .boxed()
                .toList();
        assertEquals(expected, positions);
    }

    @Property(tries = 100)
    void substitutesAreRealSamples(
            @ForAll long seed,
            @ForAll @IntRange(min = 0, max = 39) int sample,
            @ForAll @IntRange(min = 0, max = 63) int probe) {
        SampleOrder order = new SampleOrder(seed, new int[] {40, 3}, 1);
        SampleId id = new SampleId(5, 0, sample);
        SampleId substitute = order.substitute(id, CounterRandom.of(seed, 5, sample), probe);
        assertEquals(5, substitute.epoch());
        assertTrue(substitute.sample() < (substitute.shard() == 0 ? 40 : 3));
        assertTrue(probe >= 8 || substitute.shard() == 0);
    }

    @Example
    void orderIsUniform() {
        // Sample 0 of 64 lands in each quarter of the epoch about as often; 4,000 epochs, standard deviation 27.
        SampleOrder order = new SampleOrder(3, new int[] {16, 16, 16, 16}, 4);
        int[] quarters = new int[4];
        for (long epoch = 0; epoch < 4000; epoch++) {
            for (int r = 0; r < 64; r++) {
                if (order.sampleNumber(order.at(epoch * 64 + r)) == 0) {
                    quarters[r / 16]++;
                }
            }
        }
        for (int count : quarters) {
            assertTrue(Math.abs(count - 1000) < 140, "quarter has " + count + " of 4000");
        }
    }

    @Example
    void counterRandomIsUniformAndUncorrelated() {
        double sum = 0;
        double product = 0;
        int[] below = new int[7];
        int n = 50_000;
        for (int i = 0; i < n; i++) {
            CounterRandom random = CounterRandom.of(1, 0, i);
            double a = random.uniform(1);
            double b = random.uniform(2);
            sum += a;
            product += (a - 0.5) * (b - 0.5);
            below[(int) random.below(3, 7)]++;
        }
        assertEquals(0.5, sum / n, 0.01);
        assertEquals(0, product / n, 0.003);
        for (int count : below) {
            assertEquals(n / 7.0, count, 500);
        }
    }

    @Example
    void valuesAreFrozen() {
        // A run that is resumed with a newer version must see the same data: these numbers may never change.
        SampleOrder order = new SampleOrder(42, new int[] {1000, 1000, 500}, 2);
        assertEquals(
                FROZEN, numbers(order, 1, 6) + " " + CounterRandom.of(42, 1, 7).bits(0));
    }

    private static final String FROZEN = "2468 2277 711 910 947 526 6199652657701730633";

    private static String numbers(SampleOrder order, long epoch, int count) {
        StringBuilder text = new StringBuilder();
        for (int r = 0; r < count; r++) {
            text.append(order.sampleNumber(order.at(epoch * order.size() + r))).append(' ');
        }
        return text.toString().strip();
    }
}
