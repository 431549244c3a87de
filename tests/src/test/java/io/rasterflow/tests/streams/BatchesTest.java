package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.batch.StreamConfig;
import io.rasterflow.streams.batch.TooManyBadSamplesException;
import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.tests.Paired;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.testkit.javadsl.TestKit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the pipeline gives depends on data, seed and plan alone; what it holds is bounded and comes back. */
@Paired
class BatchesTest {

    private static final BatchPlan PLAN = new BatchPlan(22, 4);
    private static final long SEED = 11;

    private static ActorSystem system;
    private static Materializer materializer;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() {
        system = ActorSystem.create("batches-test");
        materializer = SystemMaterializer.get(system).materializer();
    }

    @AfterAll
    static void stop() {
        TestKit.shutdownActorSystem(system);
    }

    /** Everything that training sees of a batch. */
    private record Seen(long step, int microBatch, int imagesHash, List<Object> rest) {
        static Seen of(Batch batch) {
            assertTrue(batch.images().isDirect());
            assertEquals(ByteOrder.nativeOrder(), batch.images().order());
            assertEquals(batch.labels().length * 28 * 28 * 4, batch.images().remaining());
            assertEquals(0, batch.images().alignmentOffset(0, 64));
            byte[] bytes = new byte[batch.images().remaining()];
            batch.images().get(bytes);
            List<Object> rest = List.of(
                    Arrays.toString(batch.labels()),
                    Arrays.toString(batch.positions()),
                    Arrays.toString(batch.keys()),
                    batch.badSamples());
            return new Seen(batch.step(), batch.microBatch(), Arrays.hashCode(bytes), rest);
        }
    }

    @Test
    void ranksThreadsAndResumeDoNotChangeABatch() throws Exception {
        try (DataSet data = dataSet(Map.of(5, new byte[0], 17, new byte[] {1, 2, 3}))) {
            List<Seen> whole = collect(training(data, TestData.stream(1, 1, 1), 0, 9, 0, 4));
            assertEquals(36, whole.size());
            assertEquals(whole, collect(training(data, TestData.stream(4, 7, 1), 0, 9, 0, 4)));
            List<Seen> resumed = new ArrayList<>(collect(training(data, TestData.stream(2, 3, 1), 0, 4, 0, 4)));
            resumed.addAll(collect(training(data, TestData.stream(3, 2, 1), 4, 9, 0, 4)));
            assertEquals(whole, resumed);
            Set<Seen> ranks = new HashSet<>();
            for (int rank = 0; rank < 3; rank++) {
                ranks.addAll(collect(training(data, TestData.stream(2, 2, 1), 0, 9, rank * 4 / 3, (rank + 1) * 4 / 3)));
            }
            assertEquals(new HashSet<>(whole), ranks);
            assertTrue(whole.stream().anyMatch(seen -> seen.rest().toString().contains("zero bytes")));
        }
    }

    @Test
    void everyEpochUsesEverySampleOnceAndDiffersFromTheOneBefore() throws Exception {
        try (DataSet data = dataSet(Map.of())) {
            BatchPlan plan = new BatchPlan(20, 3);
            List<List<Integer>> epochs = new ArrayList<>();
            Set<Long> keys = new HashSet<>();
            for (int epoch = 0; epoch < 2; epoch++) {
                List<Integer> labels = new ArrayList<>();
                Source<Batch, NotUsed> source = Batches.training(
                        data,
                        SEED,
                        plan,
                        TestData.augment(),
                        TestData.stream(2, 2, 0),
                        2L * epoch,
                        2L * epoch + 2,
                        0,
                        3);
                try (BatchReader reader = BatchReader.open(source, materializer)) {
                    for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                        try (Batch batch = next.get()) {
                            Arrays.stream(batch.labels()).forEach(labels::add);
                            Arrays.stream(batch.keys()).forEach(keys::add);
                        }
                    }
                }
                epochs.add(labels);
            }
            assertNotEquals(epochs.get(0), epochs.get(1));
            assertEquals(40, new HashSet<>(epochs.get(0)).size());
            assertEquals(new HashSet<>(epochs.get(0)), new HashSet<>(epochs.get(1)));
            assertEquals(80, keys.size(), "a key was used twice");
        }
    }

    @Test
    void evaluationGivesEverySampleOnceInOrder() throws Exception {
        try (DataSet data = dataSet(Map.of(3, new byte[9]))) {
            List<Integer> labels = new ArrayList<>();
            List<Integer> sizes = new ArrayList<>();
            List<BadSample> bad = new ArrayList<>();
            Source<Batch, NotUsed> source =
                    Batches.evaluation(data, TestData.augment(), TestData.stream(3, 2, 0.5), SEED, 16, 0);
            try (BatchReader reader = BatchReader.open(source, materializer)) {
                for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                    try (Batch batch = next.get()) {
                        Arrays.stream(batch.labels()).forEach(labels::add);
                        sizes.add(batch.labels().length);
                        bad.addAll(batch.badSamples());
                        assertEquals(sizes.size() - 1, batch.step());
                        float first =
                                batch.images().order(ByteOrder.nativeOrder()).getFloat(0);
                        int pixel = TestData.pixels(batch.labels()[0])[0] & 0xFF;
                        assertEquals((pixel / 255f - 0.5f) / 0.25f, first, 1e-6f);
                        assertTrue(batch.fetchNanos() > 0 && batch.decodeNanos() > 0);
                    }
                }
            }
            assertEquals(List.of(16, 16, 8), sizes);
            assertEquals(1, bad.size());
            assertEquals("0003", bad.get(0).key());
            assertEquals(3, bad.get(0).position());
            assertTrue(bad.get(0).shard().endsWith("a.tar"));
            assertNotEquals(3, labels.get(3), "a broken sample was delivered");
            for (int i = 0; i < 40; i++) {
                assertTrue(i == 3 || labels.get(i) == i, "sample " + i + " has label " + labels.get(i));
            }
            assertEquals(
                    collect(Batches.evaluation(data, TestData.augment(), TestData.stream(1, 1, 0.5), SEED, 16, 20))
                            .get(0),
                    collect(source).get(0));
        }
    }

    @Test
    void tooManyBadSamplesFailWithOneLine() throws Exception {
        try (DataSet data = dataSet(Map.of(5, new byte[0], 17, new byte[0], 30, new byte[0]))) {
            // Three of 40: 7.5 %, allowed below 10 % but not below 5 % once 100 samples have been seen.
            assertEquals(
                    200,
                    collect(training(data, TestData.stream(2, 3, 0.1), 0, 50, 0, 4))
                            .size());
            TooManyBadSamplesException e = assertThrows(
                    TooManyBadSamplesException.class,
                    () -> collect(training(data, TestData.stream(2, 3, 0.05), 0, 50, 0, 4)));
            assertTrue(e.getMessage().contains("data.maxBadFraction = 0.05"), e.getMessage());
            assertFalse(e.getMessage().contains("\n"), e.getMessage());
            assertEventuallyNothingIsOut(data);
        }
    }

    @Test
    void dataOfBrokenSamplesOnlyFails() throws Exception {
        Path tar = TestData.tarWithBroken(folder.resolve("x.tar"), 0, 2, Map.of(0, new byte[0], 1, new byte[0]));
        try (DataSet data = DataSet.open(List.of(tar.toString()), folder.resolve("cache"))) {
            TooManyBadSamplesException e = assertThrows(
                    TooManyBadSamplesException.class,
                    () -> collect(training(data, TestData.stream(2, 3, 1), 0, 5, 0, 4)));
            assertTrue(e.getMessage().startsWith("no readable sample"), e.getMessage());
        }
    }

    @Test
    void aConsumerThatTakesNothingMoreStopsTheMaking() throws Exception {
        try (DataSet data = dataSet(Map.of());
                DataSet other = dataSet(Map.of())) {
            int prefetch = 5;
            int bound = prefetch + 2; // made ahead, one in the reader's queue, one in the consumer's hands
            Source<Batch, NotUsed> endless = training(data, TestData.stream(3, prefetch, 0), 0, 1_000_000, 0, 4);
            try (BatchReader reader = BatchReader.open(endless, materializer)) {
                Batch first = reader.next().orElseThrow();
                new TestKit(system)
                        .awaitCond(Duration.ofSeconds(60), () -> data.buffers().outstanding() == bound);
                // While a second stream makes 200 batches, the first has time enough to go beyond its bound.
                assertEquals(
                        200,
                        collect(training(other, TestData.stream(1, 2, 0), 0, 50, 0, 4))
                                .size());
                assertEquals(bound, data.buffers().outstanding());
                assertEquals(bound, data.buffers().allocated());
                first.close();
            }
            assertEventuallyNothingIsOut(data);
        }
    }

    @Test
    void memoryStaysFlatOverThousandsOfBatches() throws Exception {
        try (DataSet data = dataSet(Map.of())) {
            int prefetch = 4;
            long batches = 0;
            Source<Batch, NotUsed> source = training(data, TestData.stream(2, prefetch, 0), 0, 1000, 0, 4);
            try (BatchReader reader = BatchReader.open(source, materializer)) {
                for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                    next.get().close();
                    next.get().close(); // closing twice does nothing
                    batches++;
                }
            }
            assertEquals(4000, batches);
            // Made ahead, one in the reader's queue, one in the consumer's hands.
            assertTrue(
                    data.buffers().allocated() <= prefetch + 2, data.buffers().allocated() + " buffers");
            assertEquals(0, data.buffers().outstanding());
        }
    }

    @Test
    void batchesThatAreAskedForEarlyComeInOrderAndToTheEnd() throws Exception {
        try (DataSet data = dataSet(Map.of())) {
            List<Long> steps = new ArrayList<>();
            Source<Batch, NotUsed> source = training(data, TestData.stream(2, 4, 0), 0, 5, 0, 1);
            try (BatchReader reader = BatchReader.open(source, materializer)) {
                for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                    reader.pullEarly();
                    reader.pullEarly(); // once is enough
                    steps.add(next.get().step());
                    next.get().close();
                }
            }
            assertEquals(List.of(0L, 1L, 2L, 3L, 4L), steps);
            assertEventuallyNothingIsOut(data);
        }
    }

    @Test
    void closingAReaderEarlyBringsEveryBufferBack() throws Exception {
        try (DataSet data = dataSet(Map.of())) {
            for (int round = 0; round < 20; round++) {
                Source<Batch, NotUsed> source = training(data, TestData.stream(2, 4, 0), 0, 1000, 0, 4);
                try (BatchReader reader = BatchReader.open(source, materializer)) {
                    Batch batch = reader.next().orElseThrow();
                    if (round % 2 == 1) {
                        reader.pullEarly(); // and nobody takes it
                    }
                    batch.close();
                    assertThrows(IllegalStateException.class, batch::images);
                }
                assertEventuallyNothingIsOut(data);
            }
            assertTrue(data.buffers().allocated() <= 8, data.buffers().allocated() + " buffers");
        }
    }

    /** Nothing may be bad, but what is in quarantine is not: it is replaced, the same way on every run, and reported. */
    @Test
    void whatIsInQuarantineIsReplacedAndCountsAsNoFault() throws Exception {
        try (DataSet data = dataSet(Map.of())) {
            List<String> names = IntStream.range(0, 10)
                    .mapToObj(i -> BadSample.name(data.shardName(0), String.format("%04d", i)))
                    .toList();
            StreamConfig config = new StreamConfig(2, 4, 0, 2, 1_000_000, names);
            List<Integer> labels = new ArrayList<>();
            List<String> skipped = new ArrayList<>();
            try (BatchReader reader =
                    BatchReader.open(training(data, config, 0, 4, 0, PLAN.microBatches()), materializer)) {
                for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                    try (Batch batch = next.get()) {
                        Arrays.stream(batch.labels()).forEach(labels::add);
                        batch.badSamples().forEach(bad -> skipped.add(bad.key() + " " + bad.cause()));
                    }
                }
            }
            assertTrue(labels.size() == 88, labels.toString());
            assertTrue(labels.stream().noneMatch(label -> label < 10), labels.toString());
            assertFalse(skipped.isEmpty());
            assertTrue(
                    skipped.stream().allMatch(bad -> bad.matches("000\\d it is named in data.stream.quarantine")),
                    skipped.toString());
            assertEquals(
                    collect(training(data, config, 0, 3, 0, PLAN.microBatches())),
                    collect(training(
                            data, new StreamConfig(1, 1, 0, 2, 1_000_000, names), 0, 3, 0, PLAN.microBatches())));
        }
    }

    @Test
    void aRankWithoutMicroBatchesGetsAnEmptyStream() throws Exception {
        try (DataSet data = dataSet(Map.of())) {
            assertEquals(List.of(), collect(training(data, TestData.stream(1, 1, 0), 0, 9, 2, 2)));
            assertThrows(IllegalArgumentException.class, () -> training(data, TestData.stream(1, 1, 0), 0, 9, 2, 5));
        }
    }

    /** 40 samples in shards of 25 and 15, labelled by their running number; some with other bytes than an image. */
    @Test
    void aSlowConsumerStopsTheStreamWithinItsBytes() throws Exception {
        long batch = 4L * TestData.SIDE * TestData.SIDE * PLAN.maxSize();
        StreamConfig config = new StreamConfig(2, 1_000, 1, 2, 3 * batch + 100, List.of());
        try (DataSet data = dataSet(Map.of());
                BatchReader reader = BatchReader.open(
                        training(data, config, 0, 100, 0, PLAN.microBatches()),
                        SystemMaterializer.get(system).materializer())) {
            reader.next().orElseThrow().close();
            Awaitility.await().until(() -> data.metrics().ready().snapshot().depth() == 3);
            long read = data.metrics().read().snapshot().items();
            // 3 are ready or made, and one waits in the reader; time alone brings no more.
            assertTrue(
                    data.buffers().outstanding() <= 3 + 2,
                    "out " + data.buffers().outstanding());
            for (int i = 0; i < 20; i++) {
                reader.next().orElseThrow().close();
            }
            assertTrue(
                    data.buffers().allocated() <= 3 + 3,
                    "allocated " + data.buffers().allocated());
            assertTrue(data.metrics().read().snapshot().items() > read);
        }
    }

    private DataSet dataSet(Map<Integer, byte[]> broken) throws Exception {
        Path first = TestData.tarWithBroken(folder.resolve("a.tar"), 0, 25, broken);
        Path second = TestData.tarWithBroken(folder.resolve("b.tar"), 25, 40, broken);
        return DataSet.open(List.of(first.toString(), second.toString()), folder.resolve("cache"));
    }

    private static Source<Batch, NotUsed> training(
            DataSet data, StreamConfig config, long firstStep, long lastStep, int from, int to) {
        return Batches.training(data, SEED, PLAN, TestData.augment(), config, firstStep, lastStep, from, to);
    }

    private static List<Seen> collect(Source<Batch, NotUsed> source) throws Exception {
        List<Seen> seen = new ArrayList<>();
        try (BatchReader reader = BatchReader.open(source, materializer)) {
            for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                try (Batch batch = next.get()) {
                    seen.add(Seen.of(batch));
                }
            }
        }
        return seen;
    }

    /** Decode threads may still be at their last batch when the stream ends. */
    private static void assertEventuallyNothingIsOut(DataSet data) {
        new TestKit(system)
                .awaitCond(Duration.ofSeconds(60), () -> data.buffers().outstanding() == 0);
    }
}
