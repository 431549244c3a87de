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

    /** What the process holds; the resident set is the sum of all, whoever took it. */
    private record Held(long heap, long direct, long decoder, long resident, int threads, long files) {

        static Held now() throws IOException {
            System.gc();
            System.gc();
            long direct = ManagementFactory.getPlatformMXBeans(java.lang.management.BufferPoolMXBean.class).stream()
                    .filter(pool -> pool.getName().equals("direct"))
                    .mapToLong(java.lang.management.BufferPoolMXBean::getMemoryUsed)
                    .sum();
            long resident = Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
                    .sum();
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
