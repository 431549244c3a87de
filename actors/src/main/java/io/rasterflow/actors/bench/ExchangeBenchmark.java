package io.rasterflow.actors.bench;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeException;
import io.rasterflow.actors.exchange.Generation;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;

/**
 * All-reduces a gradient as training steps do, with one micro-batch per rank, and times each round at one rank: from
 * {@code contribute} to the sum. A small exchange of its own lets the ranks begin each round together.
 *
 * @param floats length of the gradient
 * @param warmUp rounds before those that count, at least: they go on until no rank's compiler has work; the sum of the first is
 *     checked
 * @param rounds that count
 */
public record ExchangeBenchmark(long floats, int warmUp, int rounds) {

    /** As in training: a gradient comes in buckets. */
    private static final int BUCKET_FLOATS = 1 << 24;

    private static final int BARRIER_FLOATS = 16;
    private static final int PATTERN_REPEATS = 64;

    /** Signal of a rank that is not warm yet. */
    private static final int COLD = 1;

    /** @param cold whether some rank was not warm yet before it */
    private record Round(double seconds, boolean cold, List<ByteBuffer> sum) {}

    public ExchangeBenchmark {
        if (floats < 1 || warmUp < 1 || rounds < 1) {
            throw new IllegalArgumentException(
                    "floats, warmUp and rounds must be positive but are " + floats + ", " + warmUp + " and " + rounds);
        }
    }

    /**
     * Runs all rounds as one rank; the other ranks run theirs in processes of their own.
     *
     * @return seconds of each round that counts
     * @throws ExchangeException if a sum is wrong, or a peer is lost
     */
    public double[] run(DataPlane plane, List<DataAddress> members, int rank) {
        try (Exchange barrier = join(plane, members, rank, 1, List.of(BARRIER_FLOATS));
                Exchange measured = join(plane, members, rank, 2, buckets())) {
            float[] pattern = pattern(members.size(), rank);
            WarmUp compiler = new WarmUp();
            barrier.signal(COLD);
            int step = 0;
            Round round = round(step++, barrier, measured, pattern);
            check(round, members.size());
            while (round.cold()) {
                boolean settled = compiler.settled();
                if (step < warmUp || !settled) {
                    barrier.signal(COLD);
                }
                round = round(step++, barrier, measured, pattern);
            }
            double[] seconds = new double[rounds];
            for (int i = 0; i < rounds; i++) {
                round = round(step++, barrier, measured, pattern);
                seconds[i] = round.seconds();
            }
            check(round, members.size());
            return seconds;
        }
    }

    private List<Integer> buckets() {
        List<Integer> lengths = new ArrayList<>();
        for (long left = floats; left > 0; left -= BUCKET_FLOATS) {
            lengths.add((int) Math.min(left, BUCKET_FLOATS));
        }
        return lengths;
    }

    private static Exchange join(
            DataPlane plane, List<DataAddress> members, int rank, long number, List<Integer> bucketFloats) {
        Generation generation = new Generation(number, members, members.size());
        try {
            return plane.join(generation, rank, bucketFloats)
                    .toCompletableFuture()
                    .join();
        } catch (CompletionException e) {
            throw cause(e);
        }
    }

    private static Round round(int step, Exchange barrier, Exchange measured, float[] pattern) {
        measured.begin(step);
        measured.nextGradient().forEach(bucket -> fill(bucket.asFloatBuffer(), pattern));
        barrier.begin(step);
        barrier.nextGradient();
        boolean cold = (reduce(barrier).signals() & COLD) != 0;
        long start = System.nanoTime();
        Exchange.Reduced sum = reduce(measured);
        return new Round((System.nanoTime() - start) / 1e9, cold, sum.gradientSum());
    }

    private static Exchange.Reduced reduce(Exchange exchange) {
        exchange.contribute(0, 1, 1);
        try {
            return exchange.allReduce().toCompletableFuture().join();
        } catch (CompletionException e) {
            throw cause(e);
        }
    }

    private static ExchangeException cause(CompletionException e) {
        return e.getCause() instanceof ExchangeException known ? known : new ExchangeException(e.getMessage(), e);
    }

    /** Integers whose sums are exact in float32 and bfloat16; the element that sticks out differs by rank. */
    private static float[] pattern(int world, int rank) {
        float[] values = new float[3 * world * PATTERN_REPEATS];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 3 - 1 + (i % world == rank ? 1 : 0);
        }
        return values;
    }

    private static void fill(FloatBuffer bucket, float[] pattern) {
        while (bucket.hasRemaining()) {
            bucket.put(pattern, 0, Math.min(pattern.length, bucket.remaining()));
        }
    }

    private static void check(Round round, int world) {
        round.sum().forEach(bucket -> check(bucket, world));
    }

    private static void check(ByteBuffer bucket, int world) {
        FloatBuffer values = bucket.asFloatBuffer();
        for (int i = 0; i < values.limit(); i++) {
            float expected = world * (i % 3 - 1) + 1;
            if (values.get(i) != expected) {
                throw new ExchangeException(
                        "the sum is wrong: element " + i + " is " + values.get(i) + " instead of " + expected);
            }
        }
    }
}
