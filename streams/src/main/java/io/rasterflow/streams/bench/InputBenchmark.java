package io.rasterflow.streams.bench;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.batch.StreamConfig;
import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.util.List;
import org.apache.pekko.stream.Materializer;

/**
 * The rate of the training stream with a consumer that does nothing: reading from the shard, decoding, random resized
 * crop, flip and normalising into batches.
 *
 * @param images measured
 * @param seconds that they took
 * @param fetchSeconds of them that the decode threads together spent reading
 * @param decodeSeconds that they spent decoding and augmenting
 * @param badSamples that were replaced
 */
public record InputBenchmark(long images, double seconds, double fetchSeconds, double decodeSeconds, long badSamples) {

    private static final int BATCH = 64;
    private static final int AHEAD_PER_THREAD = 2;
    private static final long SEED = 1;

    /**
     * @param threads that decode
     * @param seconds to measure, after half as many that are not
     */
    public static InputBenchmark run(
            DataSet data, AugmentConfig augment, int threads, double seconds, Materializer materializer)
            throws IOException, InterruptedException {
        StreamConfig stream = new StreamConfig(threads, AHEAD_PER_THREAD * threads, 1, 16, Long.MAX_VALUE, List.of());
        var source =
                Batches.training(data, SEED, new BatchPlan(BATCH, 1), augment, stream, 0, Long.MAX_VALUE / BATCH, 0, 1);
        try (BatchReader reader = BatchReader.open(source, materializer)) {
            read(reader, seconds / 2);
            return read(reader, seconds);
        }
    }

    private static InputBenchmark read(BatchReader reader, double seconds) throws IOException, InterruptedException {
        long images = 0;
        long fetch = 0;
        long decode = 0;
        long bad = 0;
        long start = System.nanoTime();
        long elapsed = 0;
        while (elapsed < seconds * 1e9) {
            try (Batch batch = reader.next().orElseThrow()) {
                images += batch.labels().length;
                fetch += batch.fetchNanos();
                decode += batch.decodeNanos();
                bad += batch.badSamples().size();
            }
            elapsed = System.nanoTime() - start;
        }
        return new InputBenchmark(images, elapsed / 1e9, fetch / 1e9, decode / 1e9, bad);
    }

    public double imagesPerSecond() {
        return images / seconds;
    }
}
