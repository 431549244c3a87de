package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.order.KeyedPermutation;
import io.rasterflow.streams.order.SampleId;
import io.rasterflow.streams.order.SampleOrder;
import io.rasterflow.streams.order.ShuffleQuality;
import io.rasterflow.tests.Paired;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The measure on orders whose quality is known, and its expectations against counting and against simulation. */
@Paired
class ShuffleQualityTest {

    @Test
    void oneWindowOverAllIsAFullShuffle() throws IOException {
        SampleOrder order = new SampleOrder(1, equal(50, 400), 50);
        ShuffleQuality quality = byShard(order, 64, 50);
        assertEquals(64, quality.batch());
        assertEquals(1, quality.distinctShards().ratio(), 0.01);
        assertEquals(1, quality.neighbourDistance().orElseThrow().ratio(), 0.01);
        assertEquals(0, quality.serialCorrelation().orElseThrow().measured(), 0.02);
        assertEquals(-1.0 / 19_999, quality.serialCorrelation().orElseThrow().fullShuffle(), 1e-15);
        assertEquals(1, quality.labelDistance().orElseThrow().ratio(), 0.01);
    }

    @Test
    void shardsOfOneClassReadOneByOneAreBad() throws IOException {
        // A batch of 64 out of shards of 400 lies across a border with chance 63 / 400; then half of it on average is
        // of one
        // class, and a quarter of pairs of its samples is of two.
        SampleOrder order = new SampleOrder(1, equal(50, 400), 1);
        ShuffleQuality quality = byShard(order, 64, 50);
        assertEquals(1 + 63 / 400.0, quality.distinctShards().measured(), 0.04);
        assertTrue(quality.distinctShards().ratio() < 0.04);
        assertEquals(1 / 50.0, quality.neighbourDistance().orElseThrow().ratio(), 0.01);
        assertEquals(
                1 - 1 / 400.0 * (1 + 1 / 49.0),
                quality.serialCorrelation().orElseThrow().measured(),
                0.002);
        assertEquals(
                0.98 - 63 / 400.0 / 50, quality.labelDistance().orElseThrow().measured(), 0.002);
        assertTrue(quality.labelDistance().orElseThrow().ratio() > 2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 10, 100, 1000})
    void neighboursInWindowsCorrelateAsStated(int window) {
        int shards = 1000;
        ShuffleQuality quality = ShuffleQuality.of(new SampleOrder(2, equal(shards, 100), window), 32);
        double stated = 1.0 / window - (1 - 1.0 / window) / (shards - 1);
        // Of 8·500 windows of 2 one standard deviation is 0.009: the luck of which shards meet.
        assertEquals(stated, quality.serialCorrelation().orElseThrow().measured(), 0.04);
        assertTrue(quality.labelDistance().isEmpty());
    }

    @Test
    void widerWindowsAreBetterInEveryFigure() throws IOException {
        ShuffleQuality before = byShard(new SampleOrder(3, equal(64, 500), 1), 128, 64);
        for (int window : new int[] {4, 16, 64}) {
            ShuffleQuality quality = byShard(new SampleOrder(3, equal(64, 500), window), 128, 64);
            assertTrue(
                    quality.distinctShards().ratio() > before.distinctShards().ratio());
            assertTrue(quality.neighbourDistance().orElseThrow().ratio()
                    > before.neighbourDistance().orElseThrow().ratio());
            assertTrue(quality.serialCorrelation().orElseThrow().measured()
                    < before.serialCorrelation().orElseThrow().measured());
            assertTrue(quality.labelDistance().orElseThrow().ratio()
                    < before.labelDistance().orElseThrow().ratio());
            before = quality;
        }
    }

    @Test
    void expectationsAgreeWithCountingAllCases() throws IOException {
        // Two of four: from the same shard of two in 2 of 6 cases; labels (2, 0), (1, 1), (0, 2) in 1, 4, 1 of 6.
        ShuffleQuality quality = byShard(new SampleOrder(1, equal(2, 2), 2), 2, 2);
        assertEquals(1 + 4 / 6.0, quality.distinctShards().fullShuffle(), 1e-12);
        assertEquals(5 / 3.0, quality.neighbourDistance().orElseThrow().fullShuffle(), 1e-12);
        assertEquals(-1 / 3.0, quality.serialCorrelation().orElseThrow().fullShuffle(), 1e-12);
        assertEquals(2 / 6.0 * 0.5, quality.labelDistance().orElseThrow().fullShuffle(), 1e-12);
        // Everything at once is the data itself.
        quality = byShard(new SampleOrder(1, new int[] {3, 0, 5}, 1), 100, 2);
        assertEquals(8, quality.batch());
        assertEquals(new ShuffleQuality.Compared(2, 2), quality.distinctShards());
        assertEquals(0, quality.labelDistance().orElseThrow().measured(), 1e-12);
        assertEquals(0, quality.labelDistance().orElseThrow().fullShuffle(), 1e-12);
    }

    @ParameterizedTest
    @CsvSource({"1, 0.05", "10, 0.01", "300, 0.01", "2500, 0.02"})
    void expectationsAgreeWithASimulatedFullShuffle(int batch, double tolerance) throws IOException {
        int[] counts = new int[120];
        for (int shard = 0; shard < counts.length; shard++) {
            counts[shard] = shard % 7 == 0 ? 0 : 1 + shard * shard % 53; // uneven, some empty
        }
        SampleOrder order = new SampleOrder(1, counts, 3);
        int size = (int) order.size();
        ShuffleQuality.Labels labels = (shard, sample) -> 31 * shard * (sample + 1) % 97 % 11 % 7 - 1; // uneven
        Map<Integer, Long> histogram = histogram(order, labels);
        ShuffleQuality quality = ShuffleQuality.of(order, batch, histogram, labels);
        double shards = 0;
        double distances = 0;
        int draws = 3_000_000 / (batch + 300);
        for (int draw = 0; draw < draws; draw++) {
            KeyedPermutation shuffle = new KeyedPermutation(size, draw);
            Set<Integer> inBatch = new HashSet<>();
            Map<Integer, Integer> labelsInBatch = new TreeMap<>();
            for (int i = 0; i < batch; i++) {
                SampleId id = order.sample(0, shuffle.apply(i));
                inBatch.add(id.shard());
                labelsInBatch.merge(labels.label(id.shard(), id.sample()), 1, Integer::sum);
            }
            shards += inBatch.size();
            for (Map.Entry<Integer, Long> e : histogram.entrySet()) {
                double share = (double) labelsInBatch.getOrDefault(e.getKey(), 0) / batch;
                distances += Math.abs(share - (double) e.getValue() / size) / 2;
            }
        }
        assertEquals(1, quality.distinctShards().fullShuffle() * draws / shards, 0.005);
        assertEquals(1, quality.labelDistance().orElseThrow().fullShuffle() * draws / distances, tolerance);
    }

    @Test
    void tenBillionSamplesAreMeasuredByLookingAtFew() throws IOException {
        SampleOrder order = new SampleOrder(5, equal(1_000_000, 10_000), 16);
        AtomicLong lookups = new AtomicLong();
        Map<Integer, Long> histogram = new TreeMap<>();
        for (int label = 0; label < 1000; label++) {
            histogram.put(label, order.size() / 1000);
        }
        ShuffleQuality quality = ShuffleQuality.of(order, 4096, histogram, (shard, sample) -> {
            lookups.incrementAndGet();
            return (shard + sample) % 1000;
        });
        assertEquals(16, quality.batches());
        assertEquals(16 * 4096, lookups.get());
        assertEquals(16, quality.distinctShards().measured(), 2);
        // 4096 balls in 10^6 boxes leave about 4096² / 2·10^6 = 8.4 of them in a box that had one.
        assertEquals(4096 - 8.4, quality.distinctShards().fullShuffle(), 0.1);
        assertEquals(1 / 16.0, quality.serialCorrelation().orElseThrow().measured(), 0.1);
        assertEquals(1, quality.labelDistance().orElseThrow().ratio(), 0.05);
    }

    @Test
    void whatCannotBeMeasuredIsEmptyOrRefused() throws IOException {
        ShuffleQuality single = ShuffleQuality.of(new SampleOrder(1, new int[] {1}, 1), 8);
        assertEquals(Optional.empty(), single.neighbourDistance());
        assertEquals(Optional.empty(), single.serialCorrelation());
        assertEquals(1, single.distinctShards().ratio());
        SampleOrder order = new SampleOrder(1, new int[] {7}, 1);
        ShuffleQuality alike = ShuffleQuality.of(order, 3, Map.of(-1, 7L), (shard, sample) -> -1);
        assertEquals(Optional.empty(), alike.labelDistance());
        assertThrows(IllegalArgumentException.class, () -> ShuffleQuality.of(order, 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> ShuffleQuality.of(order, 3, Map.of(0, 6L), (shard, sample) -> sample));
        assertThrows(
                IOException.class,
                () -> ShuffleQuality.of(order, 3, Map.of(0, 6L, 1, 1L), (shard, sample) -> {
                    throw new IOException("shard 0 cannot be read");
                }));
    }

    /** Measures with the shard as the label: the worst that sorted shards can be. */
    private static ShuffleQuality byShard(SampleOrder order, int batch, int labels) throws IOException {
        ShuffleQuality.Labels label = (shard, sample) -> shard;
        Map<Integer, Long> histogram = histogram(order, label);
        assertEquals(labels, histogram.size());
        return ShuffleQuality.of(order, batch, histogram, label);
    }

    private static Map<Integer, Long> histogram(SampleOrder order, ShuffleQuality.Labels labels) throws IOException {
        Map<Integer, Long> histogram = new TreeMap<>();
        for (int shard = 0; shard < order.shards(); shard++) {
            for (int sample = 0; sample < order.shardSize(shard); sample++) {
                histogram.merge(labels.label(shard, sample), 1L, Long::sum);
            }
        }
        return histogram;
    }

    private static int[] equal(int shards, int count) {
        int[] counts = new int[shards];
        Arrays.fill(counts, count);
        return counts;
    }
}
