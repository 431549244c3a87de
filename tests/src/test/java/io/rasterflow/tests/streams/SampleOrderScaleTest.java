package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.rasterflow.streams.order.CounterRandom;
import io.rasterflow.streams.order.SampleId;
import io.rasterflow.streams.order.SampleOrder;
import io.rasterflow.tests.Paired;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The order of 10^10 samples in a million shards: what it gives and what it allocates. What a thread allocates is counted
 * exactly by the JVM and bounds what is retained from above.
 */
@Paired
class SampleOrderScaleTest {

    private static final int SHARDS = 1_000_000;
    private static final int PER_SHARD = 10_000;
    private static final int WINDOW = 16;
    private static final long WINDOW_SAMPLES = (long) WINDOW * PER_SHARD;

    /** For objects of fixed size, loading of classes and the like. */
    private static final long SLACK_BYTES = 1 << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @ParameterizedTest
    @CsvSource({
        "1, -8467800605029473434, 1277526419695237831",
        "3, -5012472493097230153, -3613771018541192247",
        "16, 2217718395098056847, 6018486521307487283",
        "997, 2320368329420288001, 6107215398223313631",
        "5000, 2320368329420288001, 6107215398223313631"
    })
    void ordersAreFrozen(int window, long atStart, long farOut) {
        // Made by the first version, which held every epoch in arrays; a run that is resumed must see the same data.
        SampleOrder order = new SampleOrder(-77, uneven(), window);
        assertEquals(atStart, hash(order, 0, 30_000));
        assertEquals(farOut, hash(order, (1L << 45) - 1000, 3000));
    }

    @Test
    void theOrderOfManyShardsIsFrozen() {
        SampleOrder order = new SampleOrder(5, equal(20_000, PER_SHARD), WINDOW);
        assertEquals(-8426890855775128815L, hash(order, order.size() * 3 - 3000, 6000));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, 31250", "0, 62499", "3, 0", "1000000, 62499"})
    void aWindowOfTenBillionHoldsEachOfItsSamplesOnce(long epoch, long window) {
        SampleOrder order = tenBillion();
        assertEquals(10_000_000_000L, order.size());
        Map<Integer, BitSet> seen = new HashMap<>();
        long first = epoch * order.size() + window * WINDOW_SAMPLES;
        for (long position = first; position < first + WINDOW_SAMPLES; position++) {
            SampleId id = order.at(position);
            assertEquals(epoch, id.epoch());
            BitSet samples = seen.computeIfAbsent(id.shard(), shard -> new BitSet(PER_SHARD));
            assertTrue(!samples.get(id.sample()), () -> "twice: " + id);
            samples.set(id.sample());
        }
        assertEquals(WINDOW, seen.size());
        seen.values().forEach(samples -> assertEquals(PER_SHARD, samples.length()));
        assertTrue(order.at(first + WINDOW_SAMPLES).epoch() == epoch + (window + 1) / 62_500);
    }

    @Test
    void windowsOfTenBillionHaveDifferentShards() {
        SampleOrder order = tenBillion();
        Set<Integer> shards = new HashSet<>();
        int windows = 200;
        for (long window = 31_000; window < 31_000 + windows; window++) {
            Set<Integer> ofWindow = new HashSet<>();
            for (int i = 0; i < 400; i++) {
                ofWindow.add(order.at(window * WINDOW_SAMPLES + i).shard());
            }
            assertEquals(WINDOW, ofWindow.size());
            shards.addAll(ofWindow);
        }
        assertEquals(windows * WINDOW, shards.size());
    }

    @Test
    void memoryIsPerShardAndNotPerSample() {
        int[] counts = equal(SHARDS, PER_SHARD);
        int[] few = equal(SHARDS, 1);
        SampleOrder[] order = new SampleOrder[2];
        long open = allocated(() -> (order[0] = new SampleOrder(5, counts, WINDOW)).size());
        assertAtMost(8L * SHARDS + SLACK_BYTES, open);
        long openFew = allocated(() -> (order[1] = new SampleOrder(5, few, WINDOW)).size());
        assertTrue(Math.abs(open - openFew) < SLACK_BYTES, open + " against " + openFew);

        long epoch = 8L * SHARDS / WINDOW + SLACK_BYTES;
        assertAtMost(epoch, allocated(() -> order[0].at(123_456_789_012_345L).sample()));
        assertAtMost(epoch, allocated(() -> order[1].at(123_456_789_012_345L).sample()));

        int steps = 50_000;
        long walked = allocated(() -> {
            long sum = 0;
            for (int i = 0; i < steps; i++) {
                sum += order[0].at(123_456_789_012_345L + i).shard();
            }
            return sum;
        });
        assertAtMost(64L * steps + SLACK_BYTES, walked);
    }

    @Test
    void oneWindowOverAllIsPerShardToo() {
        int[] counts = equal(SHARDS, PER_SHARD);
        long bytes = allocated(() ->
                new SampleOrder(5, counts, Integer.MAX_VALUE).at(7_777_777_777L).sample());
        assertAtMost((8L + 12) * SHARDS + SLACK_BYTES, bytes);
    }

    @Test
    void passedEpochsAreLetGo() {
        int shards = 200_000;
        SampleOrder order = new SampleOrder(5, equal(shards, 10), 1); // 8 bytes per shard and epoch: the largest case
        Runtime runtime = Runtime.getRuntime();
        System.gc();
        long before = runtime.totalMemory() - runtime.freeMemory();
        for (long epoch = 0; epoch < 100; epoch++) {
            assertEquals(epoch, order.at(epoch * order.size() + 99).epoch());
        }
        Awaitility.await().atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            System.gc();
            long grown = runtime.totalMemory() - runtime.freeMemory() - before;
            assertTrue(grown < 60L << 20, "grown by " + grown + " bytes; a hundred epochs would be 160 MB");
        });
        assertEquals(order.at(17), order.at(17));
    }

    @Test
    void twoSidesOfAnEpochBorderDoNotTakeTurnsInMakingEpochs() {
        int shards = 100_000;
        SampleOrder order = new SampleOrder(5, equal(shards, 10), 1);
        long border = 41 * order.size();
        long bytes = allocated(() -> {
            long sum = 0;
            for (int i = 0; i < 2_000; i++) {
                sum += order.at(border - 1 - i).shard() + order.at(border + i).shard();
            }
            return sum;
        });
        // Windows of one shard are made for every ten positions; an epoch is 800 kB.
        assertAtMost(2 * 8L * shards + 4_000 * 400L + SLACK_BYTES, bytes);
    }

    @Test
    void manyThreadsAtABorderMakeEachEpochOnceAndAgree() throws Exception {
        int threads = 8;
        int shards = 100_000;
        int steps = 500;
        int[] counts = equal(shards, 10);
        SampleOrder order = new SampleOrder(5, counts, 1);
        long border = 3 * order.size();
        CountDownLatch start = new CountDownLatch(1);
        SampleId[][] found = new SampleId[threads][steps];
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<Long>> bytes = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                SampleId[] mine = found[t];
                int shift = t;
                bytes.add(pool.submit(() -> {
                    start.await();
                    return allocated(() -> {
                        for (int i = 0; i < steps; i++) {
                            mine[i] = order.at(border - steps / 2 * threads + (long) i * threads + shift);
                        }
                        return 0;
                    });
                }));
            }
            start.countDown();
            long all = 0;
            for (Future<Long> future : bytes) {
                all += future.get(60, TimeUnit.SECONDS);
            }
            assertAtMost(2 * 8L * shards + (long) threads * steps * 400 + SLACK_BYTES, all);
        } finally {
            pool.shutdownNow();
        }
        SampleOrder alone = new SampleOrder(5, counts, 1);
        for (int i = 0; i < threads * steps; i++) {
            assertEquals(alone.at(border - steps / 2 * threads + i), found[i % threads][i / threads]);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5, 7, 12, 20})
    void aWindowsWorthOfPositionsTouchesFewShards(int window) {
        int shards = 37;
        int perShard = 30;
        SampleOrder order = new SampleOrder(9, equal(shards, perShard), window);
        int run = window * perShard;
        for (long start = 0; start < 3 * order.size(); start += 7) {
            Set<Integer> touched = new HashSet<>();
            for (long position = start; position < start + run; position++) {
                touched.add(order.at(position).shard());
            }
            boolean acrossShortWindow =
                    shards % window != 0 && start / order.size() != (start + run - 1) / order.size();
            int bound = acrossShortWindow ? 3 * window - 1 : 2 * window;
            assertTrue(touched.size() <= bound, touched.size() + " shards from position " + start);
        }
    }

    @Test
    void negativePositionsAreRefused() {
        assertThrows(IndexOutOfBoundsException.class, () -> tenBillion().at(-1));
    }

    private static SampleOrder tenBillion() {
        return new SampleOrder(5, equal(SHARDS, PER_SHARD), WINDOW);
    }

    private static int[] equal(int shards, int count) {
        int[] counts = new int[shards];
        Arrays.fill(counts, count);
        return counts;
    }

    /** 997 shards of 0 … 22 samples. */
    private static int[] uneven() {
        int[] counts = new int[997];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = i % 5 == 3 ? 0 : (int) (i * 7919L % 23);
        }
        return counts;
    }

    private static long hash(SampleOrder order, long from, int positions) {
        long hash = 0;
        for (long position = from; position < from + positions; position++) {
            SampleId id = order.at(position);
            long number = order.sampleNumber(id);
            SampleId other = order.substitute(id, CounterRandom.of(1, id.epoch(), number), (int) (position % 64));
            for (long value : new long[] {id.epoch(), id.shard(), id.sample(), number, other.shard(), other.sample()}) {
                hash = hash * 31 + value;
            }
        }
        return hash;
    }

    /** Bytes that this thread allocates in a computation. */
    private static long allocated(LongSupplier computation) {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        long result = computation.getAsLong();
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - before;
        assertTrue(result >= 0);
        return bytes;
    }

    private static void assertAtMost(long bound, long bytes) {
        assertTrue(bytes <= bound, bytes + " bytes were allocated, the bound is " + bound);
    }
}
