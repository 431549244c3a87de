package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.DataPlaneConfig;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeConfig;
import io.rasterflow.actors.exchange.Generation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Several data planes in this JVM, one thread per rank, and what their sums must be. */
final class World implements AutoCloseable {

    static final String SECRET = "only for tests";
    private static final long LIMIT_SECONDS = 60;

    final List<DataPlane> planes = new ArrayList<>();
    final List<Exchange> exchanges = new ArrayList<>();
    final Generation generation;
    final List<Integer> buckets;
    final int floats;
    private final ExecutorService threads;

    /** A world whose plane i holds {@code replicas[i]} ranks, and whose gradient has one bucket. */
    World(int microBatches, int floats, int chunkBytes, int... replicas) throws Exception {
        this(microBatches, List.of(floats), config(chunkBytes, 30_000), replicas);
    }

    /** A world whose plane i holds {@code replicas[i]} ranks. */
    World(int microBatches, List<Integer> buckets, ExchangeConfig config, int... replicas) throws Exception {
        List<DataAddress> members = new ArrayList<>();
        List<DataPlane> homes = new ArrayList<>();
        for (int count : replicas) {
            DataPlane plane = DataPlane.bind(address(SECRET), config);
            planes.add(plane);
            for (int replica = 0; replica < count; replica++) {
                members.add(plane.address(replica));
                homes.add(plane);
            }
        }
        this.buckets = buckets;
        this.floats = buckets.stream().mapToInt(Integer::intValue).sum();
        this.generation = new Generation(1, members, microBatches);
        this.threads = Executors.newFixedThreadPool(members.size());
        List<CompletionStage<Exchange>> joins = new ArrayList<>();
        for (int rank = 0; rank < members.size(); rank++) {
            joins.add(homes.get(rank).join(generation, rank, buckets));
        }
        for (CompletionStage<Exchange> join : joins) {
            exchanges.add(join.toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS));
        }
    }

    static DataPlaneConfig address(String secret) {
        return new DataPlaneConfig("127.0.0.1", 0, secret);
    }

    static ExchangeConfig config(int chunkBytes, int connectMillis) {
        return new ExchangeConfig(
                ExchangeConfig.Transport.TCP,
                ExchangeConfig.Wire.FP32,
                64,
                chunkBytes,
                chunkBytes + 4096,
                500,
                2_500,
                connectMillis);
    }

    /** Runs steps [first, end) on all ranks at once; every rank checks every sum bit for bit. */
    void run(long first, long end, Pause pause) throws Exception {
        List<Future<?>> ranks = new ArrayList<>();
        for (int rank = 0; rank < exchanges.size(); rank++) {
            int self = rank;
            ranks.add(threads.submit(() -> {
                boolean passed = false;
                try {
                    for (long step = first; step < end; step++) {
                        check(step, contribute(self, step, pause));
                    }
                    passed = true;
                } finally {
                    if (!passed) {
                        // The others would wait for a rank that has failed.
                        exchanges.get(self).close();
                    }
                }
                return null;
            }));
        }
        for (Future<?> rank : ranks) {
            rank.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }
    }

    /** What a rank does between its actions. */
    interface Pause {
        Pause NONE = (rank, step) -> {};

        void at(int rank, long step);
    }

    Exchange.Reduced contributeUnchecked(int rank, long step) {
        try {
            return contribute(rank, step, Pause.NONE);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    Exchange.Reduced contribute(int rank, long step, Pause pause) throws Exception {
        Exchange exchange = exchanges.get(rank);
        pause.at(rank, step);
        exchange.begin(step);
        for (int m = generation.firstMicroBatch(rank); m < generation.firstMicroBatch(rank + 1); m++) {
            pause.at(rank, step);
            fill(exchange, gradient(step, m, floats), pause, rank, step);
            exchange.contribute(loss(step, m), 10 + m, 1 + m);
        }
        pause.at(rank, step);
        return exchange.allReduce().toCompletableFuture().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    /** Writes a micro-batch; the last buckets are called ready one by one, the first by the contribution. */
    private void fill(Exchange exchange, float[] values, Pause pause, int rank, long step) {
        List<ByteBuffer> gradient = exchange.nextGradient();
        int end = floats;
        for (int bucket = buckets.size() - 1; bucket >= 0; bucket--) {
            end -= buckets.get(bucket);
            gradient.get(bucket).asFloatBuffer().put(values, end, buckets.get(bucket));
            if (bucket > 0) {
                exchange.ready(bucket);
                pause.at(rank, step);
            }
        }
    }

    /** All buckets of a sum side by side. */
    static float[] take(Exchange.Reduced reduced) {
        int floats = reduced.gradientSum().stream()
                .mapToInt(bucket -> bucket.remaining() / Float.BYTES)
                .sum();
        float[] values = new float[floats];
        int start = 0;
        for (ByteBuffer bucket : reduced.gradientSum()) {
            assertEquals(ByteOrder.nativeOrder(), bucket.order());
            int length = bucket.remaining() / Float.BYTES;
            bucket.asFloatBuffer().get(values, start, length);
            start += length;
        }
        return values;
    }

    private void check(long step, Exchange.Reduced reduced) {
        int microBatches = generation.microBatches();
        assertEquals(step, reduced.step());
        assertEquals(buckets.size(), reduced.gradientSum().size());
        float[] actual = take(reduced);
        assertArrayEquals(bits(expected(step, 0, microBatches, floats)), bits(actual), "sum of step " + step);
        assertEquals(expectedLoss(step, 0, microBatches), reduced.lossSum(), 0.0);
        assertEquals(10L * microBatches + microBatches * (microBatches - 1L) / 2, reduced.patches());
        assertEquals(microBatches + microBatches * (microBatches - 1) / 2, reduced.images());
        assertEquals(true, reduced.finite());
        if (microBatches > 1 && step % 4 == 0) {
            assertEquals(1, reduced.meanSquaredNorm() / expectedSquares(step, microBatches, floats), 1e-5);
        } else {
            assertEquals(Double.NaN, reduced.meanSquaredNorm());
        }
    }

    static int[] bits(float[] values) {
        int[] bits = new int[values.length];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = Float.floatToRawIntBits(values[i]);
        }
        return bits;
    }

    /** Values over many binades, so that another order of summation gives other bits. */
    static float[] gradient(long step, int microBatch, int floats) {
        SplittableRandom random = new SplittableRandom(step * 1_000_003 + microBatch);
        float[] values = new float[floats];
        for (int i = 0; i < floats; i++) {
            values[i] = (float) Math.scalb(random.nextDouble() - 0.5, random.nextInt(24));
        }
        return values;
    }

    static double loss(long step, int microBatch) {
        return gradient(~step, microBatch, 1)[0];
    }

    /** The canonical sum, written a second time: split at the largest power of two below n. */
    static float[] expected(long step, int first, int count, int floats) {
        if (count == 1) {
            return gradient(step, first, floats);
        }
        int split = 1;
        while (2 * split < count) {
            split *= 2;
        }
        float[] left = expected(step, first, split, floats);
        float[] right = expected(step, first + split, count - split, floats);
        for (int i = 0; i < floats; i++) {
            left[i] += right[i];
        }
        return left;
    }

    /** Mean over the micro-batches of |gradient / patches|². */
    private static double expectedSquares(long step, int microBatches, int floats) {
        double sum = 0;
        for (int m = 0; m < microBatches; m++) {
            for (float value : gradient(step, m, floats)) {
                sum += (double) value * value / (10 + m) / (10 + m);
            }
        }
        return sum / microBatches;
    }

    private static double expectedLoss(long step, int first, int count) {
        if (count == 1) {
            return loss(step, first);
        }
        int split = 1;
        while (2 * split < count) {
            split *= 2;
        }
        return expectedLoss(step, first, split) + expectedLoss(step, first + split, count - split);
    }

    @Override
    public void close() {
        exchanges.forEach(Exchange::close);
        planes.forEach(DataPlane::close);
        threads.shutdownNow();
    }
}
