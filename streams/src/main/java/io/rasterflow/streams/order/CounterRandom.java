package io.rasterflow.streams.order;

/**
 * Random numbers as a pure function of (seed, epoch, sample, draw): no state moves, so any draw can be made anywhere, in
 * any order, by any number of threads or nodes, with the same result.
 *
 * @param stream hash of (seed, epoch, sample)
 */
public record CounterRandom(long stream) {

    /** The generator of one sample in one epoch. */
    public static CounterRandom of(long seed, long epoch, long sample) {
        return new CounterRandom(Mix.absorb(Mix.absorb(Mix.absorb(0x52415354L, seed), epoch), sample));
    }

    /** 64 random bits for draw number {@code draw}. */
    public long bits(int draw) {
        return Mix.absorb(stream, draw);
    }

    /** Uniform in [0, 1) with 53 bits. */
    public double uniform(int draw) {
        return (bits(draw) >>> 11) * 0x1.0p-53;
    }

    /** Uniform in [from, to); {@code from} if both are equal. */
    public double uniform(int draw, double from, double to) {
        return from + (to - from) * uniform(draw);
    }

    /**
     * Uniform in 0 … bound-1, with a bias below bound / 2^64.
     *
     * @throws IllegalArgumentException if the bound is not positive
     */
    public long below(int draw, long bound) {
        if (bound < 1) {
            throw new IllegalArgumentException("bound must be at least 1 but is " + bound);
        }
        long bits = bits(draw);
        // High word of the unsigned product; multiplyHigh is signed and bound is positive, so only a negative `bits`
        // corrects.
        return Math.multiplyHigh(bits, bound) + (bits < 0 ? bound : 0);
    }
}
