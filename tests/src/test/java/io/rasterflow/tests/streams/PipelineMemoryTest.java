package io.rasterflow.tests.streams;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.UnixOperatingSystemMXBean;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.batch.StreamConfig;
import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.ActorSystem;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The pipeline takes no more memory, threads or files after 200,000 images than after 40,000. */
class PipelineMemoryTest {

    private static final int SHARDS = 8;
    private static final int PER_SHARD = 250;
    private static final int BATCH = 100;
    private static final int WARM_UP = 400;
    private static final int STEPS = 2_000;

    /**
     * What the process holds; the resident set is the sum of all, whoever took it, but for the Java heap, of which the
     * collector keeps as much as it likes.
     */
    private record Held(long heap, long direct, long decoder, long resident, int threads, long files) {

        static Held now() throws IOException {
            System.gc();
            System.gc();
            long direct = ManagementFactory.getPlatformMXBeans(java.lang.management.BufferPoolMXBean.class).stream()
                    .filter(pool -> pool.getName().equals("direct"))
                    .mapToLong(java.lang.management.BufferPoolMXBean::getMemoryUsed)
                    .sum();
            long resident = residentWithoutHeap();
            var system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            return new Held(
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                    direct,
                    Pointer.totalBytes(),
                    resident,
                    ManagementFactory.getThreadMXBean().getThreadCount(),
                    system.getOpenFileDescriptorCount());
        }
    }

    /** The heap lies in the first 32 GB, where its compressed pointers reach; nothing else without a name does. */
    private static long residentWithoutHeap() throws IOException {
        long resident = 0;
        boolean heap = false;
        for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
            String[] words = line.split("\\s+");
            if (words[0].matches("\\p{XDigit}+-\\p{XDigit}+")) {
                long start = Long.parseUnsignedLong(words[0].substring(0, words[0].indexOf('-')), 16);
                heap = words.length < 6 && start < 32L << 30;
            } else if (words[0].equals("Rss:") && !heap) {
                resident += Long.parseLong(words[1]) << 10;
            }
        }
        return resident;
    }

    @Test
    @Timeout(120)
    void memoryIsFlatOver200000Images(@TempDir Path folder) throws Exception {
        List<String> shards = new ArrayList<>();
        for (int s = 0; s < SHARDS; s++) {
            Path file = folder.resolve("s-" + s + ".tar");
            // One in a hundred cannot be decoded: what is thrown away must not stay either.
            TestData.tarWithBroken(
                    file, s * PER_SHARD, (s + 1) * PER_SHARD, Map.of(s * PER_SHARD + 7, new byte[] {1, 2, 3}));
            shards.add(file.toString());
        }
        ActorSystem system = ActorSystem.create("memory");
        StreamConfig config = TestData.stream(2, 4, 1);
        try (DataSet data = DataSet.open(shards, folder.resolve("cache"));
                BatchReader reader = BatchReader.open(
                        Batches.training(data, 3, new BatchPlan(BATCH, 1), TestData.augment(), config, 0, STEPS, 0, 1),
                        org.apache.pekko.stream.SystemMaterializer.get(system).materializer())) {
            int bad = read(reader, WARM_UP);
            Held before = Held.now();
            bad += read(reader, STEPS - WARM_UP);
            Held after = Held.now();
            assertEquals(STEPS * BATCH / PER_SHARD, bad, "one of each shard in each epoch");
            long buffers = data.buffers().allocated();
            assertTrue(buffers <= 4 + 3, "4 are made ahead, 3 on their way to the reader and with it, not " + buffers);
            String both = before + " " + after;
            assertTrue(after.heap - before.heap < 8 << 20, both);
            assertTrue(after.direct - before.direct < 1 << 20, both);
            assertTrue(after.decoder - before.decoder < 1 << 20, both);
            assertTrue(after.resident - before.resident < 64 << 20, both);
            assertTrue(after.threads - before.threads <= 2, both);
            assertTrue(after.files - before.files <= 2, both);
        } finally {
            system.terminate();
        }
    }

    private static int read(BatchReader reader, int steps) throws Exception {
        int bad = 0;
        for (int step = 0; step < steps; step++) {
            try (Batch batch = reader.next().orElseThrow()) {
                bad += batch.badSamples().size();
            }
        }
        return bad;
    }
}
