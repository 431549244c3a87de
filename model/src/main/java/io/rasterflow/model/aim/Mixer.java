package io.rasterflow.model.aim;

/** A counter-based generator: 64 well-mixed bits as a pure function of a key and a counter (SplitMix64's finaliser). */
final class Mixer {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private Mixer() {}

    static long mix(long key, long counter) {
        long z = key + GOLDEN * (counter + 1);
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
