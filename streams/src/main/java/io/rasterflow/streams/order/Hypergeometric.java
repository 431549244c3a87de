package io.rasterflow.streams.order;

/**
 * The number K of marked elements among d that are drawn without replacement from n, of which s are marked: P(K = k) = C(s,
 * k)·C(n - s, d - k) / C(n, d).
 */
final class Hypergeometric {

    /** Terms below this part of the largest cannot be seen in a sum of doubles. */
    private static final double NEGLIGIBLE = 1e-20;

    private Hypergeometric() {}

    /** P(K = 0) = Π_{i &lt; d} (1 - s / (n - i)). */
    static double chanceOfNone(long n, long marked, long drawn) {
        double chance = 1;
        for (long i = 0; i < drawn && chance > 0; i++) {
            chance *= Math.max(0, 1 - (double) marked / (n - i));
        }
        return chance;
    }

    /**
     * E|K - d·s / n|. Sums outwards from the mode, where every term is at most the one before, and divides by the sum of the
     * chances: O(√d) steps, and nothing that could underflow.
     */
    static double meanAbsoluteDeviation(long n, long marked, long drawn) {
        double mean = (double) drawn * marked / n;
        long least = Math.max(0, drawn - (n - marked));
        long most = Math.min(marked, drawn);
        long mode = Math.max(least, Math.min(most, (long) ((drawn + 1.0) * (marked + 1.0) / (n + 2.0))));
        double sum = Math.abs(mode - mean);
        double chances = 1;
        double chance = 1;
        for (long k = mode; k < most && chance > NEGLIGIBLE; k++) {
            chance *= (double) (marked - k) * (drawn - k) / ((k + 1.0) * (n - marked - drawn + k + 1.0));
            chances += chance;
            sum += chance * Math.abs(k + 1 - mean);
        }
        chance = 1;
        for (long k = mode; k > least && chance > NEGLIGIBLE; k--) {
            chance *= k * ((double) n - marked - drawn + k) / ((marked - k + 1.0) * (drawn - k + 1.0));
            chances += chance;
            sum += chance * Math.abs(k - 1 - mean);
        }
        return sum / chances;
    }
}
