package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.order.MixedOrder;
import io.rasterflow.streams.order.SampleId;
import io.rasterflow.streams.order.SampleOrder;
import io.rasterflow.streams.shard.DataConfig;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.SourceConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.testkit.javadsl.TestKit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The paper's mixture, frozen values, messages, and a mixture that goes through the pipeline. */
class MixedOrderTest {

    private static final int[] WEB = {1000, 1000, 500, 800};
    private static final int[] CURATED = {300, 100};

    @TempDir
    Path folder;

    @Test
    void valuesAreFrozen() {
        // A run that is resumed with a newer version must see the same data: these numbers may never change.
        MixedOrder order = paper(42, 0.8, 0.2);
        StringBuilder text = new StringBuilder();
        for (long position = 123_456; position < 123_464; position++) {
            text.append(order.sampleNumber(order.at(position))).append(' ');
        }
        assertEquals("419 3292 2855 2990 3434 3676 2609 2725", text.toString().strip());
    }

    @Test
    void theSharesOfThePaperHoldInBatchesAndOverTime() {
        MixedOrder order = paper(42, 0.8, 0.2);
        assertEquals(0.8, order.share(0));
        assertEquals(0.2, order.share(1));
        assertEquals(List.of("web", "curated"), List.of(order.name(0), order.name(1)));
        assertEquals(3700, order.size());
        assertEquals(800_000_000_000L, order.positionsOf(0, 1_000_000_000_000L));
        assertEquals(1.5, order.epochs(1, 3000));
        assertEquals(0, order.positionsOf(1, 0));
        for (int batch = 0; batch < 20; batch++) {
            long web = order.positionsOf(0, (batch + 1) * 4096L) - order.positionsOf(0, batch * 4096L);
            assertEquals(0.8 * 4096, web, 32, "batch " + batch); // 16 from the block at either end
        }
    }

    @Test
    void theMixtureHasNoRhythm() {
        MixedOrder order = paper(7, 0.8, 0.2);
        int blocks = 4000;
        int[] curatedAtSlot = new int[100];
        int togetherWithNext = 0;
        for (int position = 0; position < blocks * 100; position++) {
            if (order.source(order.at(position)) == 1) {
                curatedAtSlot[position % 100]++;
                togetherWithNext += order.source(order.at(position + 1));
            }
        }
        for (int slot = 0; slot < 100; slot++) {
            assertEquals(0.2 * blocks, curatedAtSlot[slot], 130, "slot " + slot); // 5 standard deviations
        }
        // Within a block the next is curated with chance 19 / 99, across its end with 20 / 100.
        assertEquals(0.2 * blocks * 100 * 0.192, togetherWithNext, 600);
    }

    @Test
    void weightsCountByTheirProportions() {
        MixedOrder order = paper(42, 0.8, 0.2);
        for (double[] weights : new double[][] {{4, 1}, {0.008, 0.002}, {8e12, 2e12}, {80, 20}}) {
            MixedOrder same = paper(42, weights[0], weights[1]);
            for (long position = 0; position < 500; position++) {
                assertEquals(order.at(position), same.at(position), Arrays.toString(weights));
            }
        }
        MixedOrder fine = paper(42, 0.123456, 0.876544);
        assertEquals(123_456, fine.positionsOf(0, 1_000_000)); // 0.123456 and 0.876544 have no common divisor below 64
        assertEquals(0.123456, fine.share(0));
    }

    @Test
    void seedsAndNamesChangeTheOrder() {
        MixedOrder order = paper(42, 0.8, 0.2);
        assertNotEquals(numbers(order.order(0)), numbers(paper(43, 0.8, 0.2).order(0)));
        MixedOrder renamed = new MixedOrder(42, List.of(new MixedOrder.Source("wed", 1, WEB)), 2);
        assertNotEquals(numbers(order.order(0)), numbers(renamed.order(0)));
        // A source alone is still in its own order but for places in a block, so that it can get company later.
        assertEquals(3300, renamed.size());
        assertEquals(50, renamed.positionsOf(0, 50));
    }

    @Test
    void aSourceOfMillionsOfShardsIsNumberedAfterTheOthers() {
        int[] many = new int[300_000];
        Arrays.fill(many, 10_000);
        MixedOrder order = new MixedOrder(
                1,
                List.of(new MixedOrder.Source("small", 0.01, CURATED), new MixedOrder.Source("large", 0.99, many)),
                16);
        assertEquals(3_000_000_400L, order.size());
        SampleId last = order.sample(9, order.size() - 1);
        assertEquals(new SampleId(9, 300_001, 9999), last);
        assertEquals(order.size() - 1, order.sampleNumber(last));
        assertEquals(new SampleId(9, 2, 0), order.sample(9, 400));
        assertEquals(0, order.source(1));
        assertEquals(1, order.source(2));
        assertEquals(1, order.source(last));
        assertThrows(IndexOutOfBoundsException.class, () -> order.source(300_002));
        assertThrows(IndexOutOfBoundsException.class, () -> order.source(-1));
        assertThrows(IndexOutOfBoundsException.class, () -> order.sample(0, order.size()));
        assertThrows(IndexOutOfBoundsException.class, () -> order.at(-1));
        assertThrows(IllegalArgumentException.class, () -> order.positionsOf(0, -1));
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -0.2, Double.NaN, Double.POSITIVE_INFINITY})
    void weightsThatAreNoneAreRefused(double weight) {
        assertMessage(
                "data.sources.curated.weight must be a number above 0 but is " + weight, () -> paper(1, 1, weight));
    }

    @Test
    void mixturesThatCannotBeAreRefusedInOneLine() {
        MixedOrder.Source web = new MixedOrder.Source("web", 1, WEB);
        assertMessage("data.sources is empty", () -> new MixedOrder(1, List.of(), 2));
        assertMessage("data.sources.web is there twice", () -> new MixedOrder(1, List.of(web, web), 2));
        assertMessage("without a name", () -> new MixedOrder(1, List.of(new MixedOrder.Source(" ", 1, WEB)), 2));
        for (int[] nothing : new int[][] {{}, {0, 0}}) {
            MixedOrder.Source empty = new MixedOrder.Source("empty", 1, nothing);
            assertMessage("data.sources.empty holds no samples", () -> new MixedOrder(1, List.of(web, empty), 2));
        }
        assertMessage("data.windowShards", () -> new MixedOrder(1, List.of(web), 0));
        assertMessage(
                "data.sources.web.weight = 0.1, data.sources.curated.weight = 0.1234567 need blocks of more than 1000000",
                () -> paper(1, 0.1, 0.1234567));
        assertMessage("data.sources.web.weight = 1.0E300", () -> paper(1, 1e300, 1));
        assertMessage("data.sources.curated.weight = 4.9E-324", () -> paper(1, 1, Double.MIN_VALUE));
    }

    @Test
    void aMixtureGoesThroughThePipelineForAnyNumberOfRanks() throws Exception {
        Path a = TestData.tarWithBroken(folder.resolve("a.tar"), 0, 20, Map.of());
        Path b = TestData.tarWithBroken(folder.resolve("b.tar"), 20, 30, Map.of());
        Path c = TestData.tarWithBroken(folder.resolve("c.tar"), 100, 110, Map.of(105, new byte[] {1, 2, 3}));
        ActorSystem system = ActorSystem.create("mixed-order-test");
        Map<String, SourceConfig> sources = new LinkedHashMap<>();
        sources.put("web", new SourceConfig(List.of(a.toString(), b.toString()), 0.8));
        sources.put("curated", new SourceConfig(List.of(c.toString()), 0.2));
        try (DataSet data = DataSet.open(sources, DataConfig.in(folder.resolve("cache")))) {
            MixedOrder order = (MixedOrder) data.order(3, 2);
            Map<Long, Integer> whole = labels(system, data, 1);
            assertEquals(whole, labels(system, data, 3));
            assertEquals(220, whole.size());
            boolean brokenWasDue = false;
            for (Map.Entry<Long, Integer> e : whole.entrySet()) {
                SampleId id = order.at(e.getKey());
                boolean curated = order.source(id) == 1;
                assertEquals(curated, e.getValue() >= 100, "a substitute comes from its own source too");
                boolean broken = curated && id.sample() == 5;
                brokenWasDue |= broken;
                int stored = curated ? 100 + id.sample() : 20 * id.shard() + id.sample();
                assertEquals(!broken, stored == e.getValue());
            }
            assertTrue(brokenWasDue);
        } finally {
            TestKit.shutdownActorSystem(system);
        }
    }

    private static Source<Batch, NotUsed> stream(DataSet data, int from, int to) {
        return Batches.training(
                data, 3, new BatchPlan(22, 12), TestData.augment(), TestData.stream(2, 2, 1), 4, 14, from, to);
    }

    private static Map<Long, Integer> labels(ActorSystem system, DataSet data, int ranks) throws Exception {
        Map<Long, Integer> labels = new TreeMap<>();
        for (int rank = 0; rank < ranks; rank++) {
            var source = stream(data, 12 * rank / ranks, 12 * (rank + 1) / ranks);
            try (BatchReader reader =
                    BatchReader.open(source, SystemMaterializer.get(system).materializer())) {
                for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                    try (Batch batch = next.get()) {
                        for (int i = 0; i < batch.labels().length; i++) {
                            labels.put(batch.positions()[i], batch.labels()[i]);
                        }
                    }
                }
            }
        }
        return labels;
    }

    private static MixedOrder paper(long seed, double web, double curated) {
        return new MixedOrder(
                seed,
                List.of(new MixedOrder.Source("web", web, WEB), new MixedOrder.Source("curated", curated, CURATED)),
                2);
    }

    private static List<Long> numbers(SampleOrder order) {
        return LongStream.range(0, 20)
                .map(position -> order.sampleNumber(order.at(position)))
                .boxed()
                .toList();
    }

    private static void assertMessage(String part, Executable made) {
        String message = assertThrows(IllegalArgumentException.class, made).getMessage();
        assertTrue(message.contains(part), message);
        assertFalse(message.contains("\n"), message);
    }
}
