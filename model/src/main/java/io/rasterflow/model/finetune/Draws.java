package io.rasterflow.model.finetune;

/**
 * Random numbers one after the other, each a pure function of the key and of how many came before (SplitMix64's
 * finaliser). StrictMath keeps them the same on every machine.
 */
final class Draws {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    private final long key;
    private long taken;

    private Draws(long key) {
        this.key = key;
    }

    /** A sequence of its own for every purpose, seed and counter. */
    static Draws of(long purpose, long seed, long counter) {
        return new Draws(mix(mix(mix(purpose, 0), seed), counter));
    }

    private static long mix(long key, long counter) {
        long z = key + GOLDEN * (counter + 1);
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** Uniform in [0, 1) with 53 bits. */
    double uniform() {
        return (mix(key, taken++) >>> 11) * 0x1p-53;
    }

    double uniform(double from, double to) {
        return from + (to - from) * uniform();
    }

    /** Uniform in 0..bound-1. */
    int below(int bound) {
        return (int) (uniform() * bound);
    }

    /** Normal with deviation 1 (Box-Muller; the second of each pair is not kept). */
    double normal() {
        double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - uniform()));
        return radius * StrictMath.cos(2 * StrictMath.PI * uniform());
    }

    /** Beta(alpha, alpha), as the ratio of two Gamma variates. */
    double beta(double alpha) {
        double one = gamma(alpha);
        double sum = one + gamma(alpha);
        // Of very small alpha both may underflow: then nearly all mass lies at the ends.
        return sum > 0 ? one / sum : below(2);
    }

    /** Gamma(shape, 1) by rejection (Marsaglia and Tsang 2000); below shape 1 boosted from shape + 1. */
    private double gamma(double shape) {
        if (shape < 1) {
            return gamma(shape + 1) * StrictMath.pow(1 - uniform(), 1 / shape);
        }
        double d = shape - 1.0 / 3;
        while (true) {
            double x = normal();
            double root = 1 + x / StrictMath.sqrt(9 * d);
            double v = root * root * root;
            if (v > 0 && StrictMath.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * StrictMath.log(v)) {
                return d * v;
            }
        }
    }
}
