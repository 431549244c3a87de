package io.rasterflow.monitoring.event;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * How some values are distributed: how many of them lie in each of a few bins of equal width.
 *
 * @param name of what they are, such as {@code weights/trunk.blocks.0}
 * @param min least value, where the first bin begins
 * @param max greatest value, where the last bin ends and which it holds
 * @param sum of the values
 * @param sumSquares of the values
 * @param counts values in each bin; there is but one when all values are equal
 */
public record Histogram(String name, double min, double max, double sum, double sumSquares, List<Long> counts) {

    private static final int BINS = 30;

    public Histogram {
        counts = List.copyOf(counts);
    }

    /** Of the values in all parts that are finite; empty when none is. */
    public static Optional<Histogram> of(String name, List<FloatBuffer> parts) {
        double min = Double.POSITIVE_INFINITY;
        double max = Double.NEGATIVE_INFINITY;
        double sum = 0;
        double sumSquares = 0;
        for (FloatBuffer part : parts) {
            for (int i = 0; i < part.limit(); i++) {
                double value = part.get(i);
                if (Double.isFinite(value)) {
                    min = Math.min(min, value);
                    max = Math.max(max, value);
                    sum += value;
                    sumSquares += value * value;
                }
            }
        }
        return min > max
                ? Optional.empty()
                : Optional.of(new Histogram(name, min, max, sum, sumSquares, counts(parts, min, max)));
    }

    private static List<Long> counts(List<FloatBuffer> parts, double min, double max) {
        long[] counts = new long[min == max ? 1 : BINS];
        double perUnit = min == max ? 0 : BINS / (max - min);
        for (FloatBuffer part : parts) {
            for (int i = 0; i < part.limit(); i++) {
                double value = part.get(i);
                if (Double.isFinite(value)) {
                    counts[Math.min(counts.length - 1, (int) ((value - min) * perUnit))]++;
                }
            }
        }
        return Arrays.stream(counts).boxed().toList();
    }

    /** Values in all bins. */
    public long count() {
        return counts.stream().mapToLong(Long::longValue).sum();
    }

    /** Where each bin ends. */
    public List<Double> limits() {
        List<Double> limits = new ArrayList<>();
        for (int i = 1; i < counts.size(); i++) {
            limits.add(min + i * (max - min) / counts.size());
        }
        limits.add(max);
        return limits;
    }
}
