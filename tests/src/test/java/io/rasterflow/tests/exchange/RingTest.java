package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.actors.exchange.ReductionTree;
import io.rasterflow.actors.exchange.ReductionTree.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The ring against the sum that it promises, written a second time, and against a plain one. */
class RingTest {

    private static ExchangeConfig ring(ExchangeConfig.Wire wire) {
        return new ExchangeConfig(ExchangeConfig.Transport.AUTO, wire, 2, 256, 4_352, 500, 2_500, 30_000);
    }

    /** A rank's own sum: its subtrees, from the left. */
    private static float[] own(World world, long step, int rank) {
        int first = world.generation.firstMicroBatch(rank);
        int end = world.generation.firstMicroBatch(rank + 1);
        float[] sum = null;
        for (Span span : ReductionTree.maximalSubtrees(world.generation.microBatches(), first, end)) {
            float[] part = World.expected(step, span.first(), span.count(), world.floats);
            for (int i = 0; sum != null && i < sum.length; i++) {
                part[i] = sum[i] + part[i];
            }
            sum = part;
        }
        return sum;
    }

    /** Slice j of each bucket is added up from rank j + 1 round to rank j. */
    private static float[] expected(World world, long step) {
        int size = world.generation.worldSize();
        float[][] own = new float[size][];
        Arrays.setAll(own, rank -> own(world, step, rank));
        float[] sum = new float[world.floats];
        int bucketStart = 0;
        for (int floats : world.buckets) {
            for (int i = 0; i < floats; i++) {
                int slice = 0;
                while (sliceStart(floats, size, slice + 1) <= i) {
                    slice++;
                }
                float value = own[(slice + 1) % size][bucketStart + i];
                for (int hop = 2; hop <= size; hop++) {
                    value += own[(slice + hop) % size][bucketStart + i];
                }
                sum[bucketStart + i] = value;
            }
            bucketStart += floats;
        }
        return sum;
    }

    private static long sliceStart(int floats, int size, int slice) {
        return Math.min(floats, (long) slice * ((floats + 15) / 16) / size * 16);
    }

    private static List<Exchange.Reduced> step(World world, long step) throws Exception {
        List<CompletableFuture<Exchange.Reduced>> ranks = new ArrayList<>();
        for (int rank = 0; rank < world.exchanges.size(); rank++) {
            int self = rank;
            ranks.add(CompletableFuture.supplyAsync(
                    () -> world.contributeUnchecked(self, step), task -> new Thread(task, "rank " + self).start()));
        }
        List<Exchange.Reduced> sums = new ArrayList<>();
        for (CompletableFuture<Exchange.Reduced> rank : ranks) {
            sums.add(rank.get(30, TimeUnit.SECONDS));
        }
        return sums;
    }

    @ParameterizedTest
    @CsvSource({
        "1+1, 2",
        "1+1, 7",
        "2, 3",
        "1+1+1, 3",
        "2+1, 5",
        "1+1+1+1, 11",
        "2+2, 4",
        "5, 8",
        "1+1+1+1+1+1, 6",
        "3+4, 16",
        "4+4, 9",
        "1+1+1+1+1+1+1+1+1, 10",
        "9, 9"
    })
    void everyRankHasTheSumThatTheRingPromises(String replicas, int microBatches) throws Exception {
        int[] counts =
                Arrays.stream(replicas.split("\\+")).mapToInt(Integer::parseInt).toArray();
        List<Integer> buckets = List.of(1, 1_501, 17, 640);
        try (World world = new World(microBatches, buckets, ring(ExchangeConfig.Wire.FP32), counts)) {
            for (long step = 0; step < 3; step++) {
                float[] expected = expected(world, step);
                float[] plain = World.expected(step, 0, microBatches, world.floats);
                for (int i = 0; i < plain.length; i++) {
                    assertEquals(plain[i], expected[i], 1e-5 * microBatches * 0x1p23);
                }
                for (Exchange.Reduced sum : step(world, step)) {
                    assertArrayEquals(World.bits(expected), World.bits(World.take(sum)), "step " + step);
                    assertEquals(10L * microBatches + microBatches * (microBatches - 1L) / 2, sum.patches());
                }
            }
        }
    }

    /** Steps follow each other as fast as they can: nothing may be overwritten too early. */
    @ParameterizedTest
    @CsvSource({"1+1+1", "2+2", "3"})
    void hundredsOfSteps(String replicas) throws Exception {
        int[] counts =
                Arrays.stream(replicas.split("\\+")).mapToInt(Integer::parseInt).toArray();
        try (World world = new World(5, List.of(100, 233), ring(ExchangeConfig.Wire.FP32), counts)) {
            List<CompletableFuture<Void>> ranks = new ArrayList<>();
            for (int rank = 0; rank < world.exchanges.size(); rank++) {
                int self = rank;
                ranks.add(CompletableFuture.runAsync(
                        () -> {
                            for (long step = 0; step < 100; step++) {
                                float[] sum = World.take(world.contributeUnchecked(self, step));
                                assertArrayEquals(World.bits(expected(world, step)), World.bits(sum));
                            }
                        },
                        task -> new Thread(task, "rank " + self).start()));
            }
            for (CompletableFuture<Void> rank : ranks) {
                rank.get(60, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void withNarrowWireTheBitsDoNotDependOnWhoSharesAProcess() throws Exception {
        List<float[]> sums = new ArrayList<>();
        for (int[] replicas : new int[][] {{1, 1, 1, 1}, {4}, {2, 2}, {1, 3}}) {
            try (World world = new World(4, List.of(65, 999), ring(ExchangeConfig.Wire.BF16), replicas)) {
                step(world, 7).forEach(sum -> sums.add(World.take(sum)));
            }
        }
        float[] plain = World.expected(7, 0, 4, 65 + 999);
        for (int i = 0; i < plain.length; i++) {
            assertEquals(plain[i], sums.get(0)[i], 0.03 * 4 * 0x1p23);
        }
        for (float[] sum : sums) {
            assertArrayEquals(World.bits(sums.get(0)), World.bits(sum));
        }
    }
}
