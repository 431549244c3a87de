package io.rasterflow.streams.order;

/** 64-bit hashing: the finaliser of SplitMix64 (Steele, Lea, Flood 2014, with Stafford's variant 13 constants). */
final class Mix {

    /** 2^64 divided by the golden ratio, odd: consecutive multiples are far apart. */
    static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private Mix() {}

    /** A bijection on 64 bits in which every input bit flips every output bit with a chance near one half. */
    static long mix(long value) {
        long z = value;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** Adds {@code value} to the hash {@code state}. */
    static long absorb(long state, long value) {
        return mix(mix(state + GOLDEN) ^ (value * GOLDEN + 0x632BE59BD9B4E019L));
    }
}
