package io.rasterflow.tests.exchange;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.ExchangeConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** bf16 on the wire: rounded addends and a rounded sum, the same bits at every rank however ranks share processes. */
class NarrowWireTest {

    private static final List<Integer> BUCKETS = List.of(5, 4_097, 1_003);
    private static final int FLOATS = 5 + 4_097 + 1_003;
    private static final float[] SPECIAL = {
        0f,
        -0f,
        Float.NaN,
        Float.intBitsToFloat(0x7fffffff),
        Float.intBitsToFloat(0xffffffff),
        Float.intBitsToFloat(0x7f800001),
        Float.POSITIVE_INFINITY,
        Float.NEGATIVE_INFINITY,
        Float.MAX_VALUE,
        Float.MIN_VALUE,
        Float.intBitsToFloat(0x3f808000),
        Float.intBitsToFloat(0x3f818000),
        Float.intBitsToFloat(0x3f808001),
        Float.intBitsToFloat(0x3f807fff)
    };

    /** To nearest, ties to even, by comparing with both neighbours. */
    private static float rounded(float value) {
        if (Float.isNaN(value) || Float.isInfinite(value)) {
            return value;
        }
        int bits = Float.floatToRawIntBits(value);
        float below = Float.intBitsToFloat(bits & 0xffff0000);
        float above = Float.intBitsToFloat((bits & 0xffff0000) + 0x10000);
        double beyond = Float.isInfinite(above) ? Math.copySign(0x1p128, value) : above;
        double down = Math.abs((double) value - below);
        double up = Math.abs(beyond - value);
        boolean even = (bits >>> 16 & 1) == 0;
        return down < up || down == up && even ? below : above;
    }

    private static float[] gradient(int microBatch) {
        SplittableRandom random = new SplittableRandom(microBatch);
        float[] values = new float[FLOATS];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(20) == 0
                    ? SPECIAL[random.nextInt(SPECIAL.length)]
                    : (float) Math.scalb(random.nextDouble() - 0.5, random.nextInt(24));
        }
        return values;
    }

    /** What must come out of three ranks with a micro-batch each: (0 + 1) + 2. */
    private static float[] expected() {
        float[] sum = gradient(0);
        float[] second = gradient(1);
        float[] third = gradient(2);
        for (int i = 0; i < sum.length; i++) {
            sum[i] = rounded(rounded(sum[i]) + rounded(second[i]) + rounded(third[i]));
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({"3", "1+1+1", "2+1", "1+2"})
    void everyRankHasTheSameBits(String replicas) throws Exception {
        int[] counts =
                Arrays.stream(replicas.split("\\+")).mapToInt(Integer::parseInt).toArray();
        ExchangeConfig config = World.config(512, 30_000).with(ExchangeConfig.Wire.BF16);
        try (World world = new World(3, BUCKETS, config, counts)) {
            for (long step = 0; step < 5; step++) {
                List<CompletableFuture<Exchange.Reduced>> sums = new ArrayList<>();
                for (int rank = 0; rank < 3; rank++) {
                    Exchange exchange = world.exchanges.get(rank);
                    exchange.begin(step);
                    float[] values = gradient(rank);
                    int start = 0;
                    for (var bucket : exchange.nextGradient()) {
                        int length = bucket.remaining() / Float.BYTES;
                        bucket.asFloatBuffer().put(values, start, length);
                        start += length;
                    }
                    exchange.contribute(1, 1, 1);
                    sums.add(exchange.allReduce().toCompletableFuture());
                }
                for (CompletableFuture<Exchange.Reduced> sum : sums) {
                    // Which NaN it is does not matter: comparing floats takes all for the same.
                    assertArrayEquals(expected(), World.take(sum.get(20, TimeUnit.SECONDS)));
                }
            }
        }
    }
}
