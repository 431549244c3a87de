package io.rasterflow.streams.order;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The weights of a mixture as whole numbers: how many positions of each block belong to each source. The weights count as
 * the decimal numbers that they print as, so 0.8 and 0.2 are exactly 4 and 1.
 */
final class MixtureWeights {

    /** A block of 5 would repeat a rhythm that a batch can see. Changing this would change every mixed order. */
    private static final int MIN_BLOCK = 100;

    private static final int MAX_BLOCK = 1_000_000;

    private final int[] starts;

    private MixtureWeights(int[] starts) {
        this.starts = starts;
    }

    /**
     * @param names of the sources, for messages
     * @param weights one for each name
     * @throws IllegalArgumentException if a weight is not above 0 and finite, or the whole numbers are too large
     */
    static MixtureWeights of(List<String> names, double[] weights) {
        BigDecimal[] decimals = new BigDecimal[weights.length];
        int scale = 0;
        for (int i = 0; i < weights.length; i++) {
            if (!(weights[i] > 0 && weights[i] < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException(
                        "data.sources." + names.get(i) + ".weight must be a number above 0 but is " + weights[i]
                                + "; to leave a source out, remove it");
            }
            decimals[i] = BigDecimal.valueOf(weights[i]).stripTrailingZeros();
            scale = Math.max(scale, decimals[i].scale());
        }
        BigInteger[] counts = new BigInteger[weights.length];
        BigInteger divisor = BigInteger.ZERO;
        BigInteger sum = BigInteger.ZERO;
        for (int i = 0; i < counts.length; i++) {
            counts[i] = decimals[i].scaleByPowerOfTen(scale).toBigIntegerExact();
            divisor = divisor.gcd(counts[i]);
            sum = sum.add(counts[i]);
        }
        BigInteger block = sum.divide(divisor);
        if (block.compareTo(BigInteger.valueOf(MAX_BLOCK)) > 0) {
            throw new IllegalArgumentException(tooFine(names, weights));
        }
        int times = Math.max(1, (MIN_BLOCK + block.intValue() - 1) / block.intValue());
        int[] starts = new int[counts.length + 1];
        for (int i = 0; i < counts.length; i++) {
            starts[i + 1] = starts[i] + counts[i].divide(divisor).intValue() * times;
        }
        return new MixtureWeights(starts);
    }

    private static String tooFine(List<String> names, double[] weights) {
        String list = IntStream.range(0, weights.length)
                .mapToObj(i -> "data.sources." + names.get(i) + ".weight = " + weights[i])
                .collect(Collectors.joining(", "));
        return list + " need blocks of more than " + MAX_BLOCK
                + " positions to be exact; round them, or write 1 and 2 in place of 0.3333333 and 0.6666667";
    }

    /** B positions in a block. */
    int block() {
        return starts[starts.length - 1];
    }

    /** Positions of each block that belong to a source. */
    int count(int source) {
        return starts[source + 1] - starts[source];
    }

    /** The first place of a source in the unpermuted block. */
    int start(int source) {
        return starts[source];
    }

    /** The source whose range holds a place 0 … B-1 of the unpermuted block. */
    int sourceAt(int place) {
        int found = Arrays.binarySearch(starts, place);
        return found >= 0 ? found : -found - 2;
    }
}
