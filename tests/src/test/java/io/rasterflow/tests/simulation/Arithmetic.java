package io.rasterflow.tests.simulation;

/** The learning of the simulation: a gradient depends on the weights and the micro-batch, the weights on all sums so far. */
final class Arithmetic {

    static final long SEED_WEIGHTS = mix(42);

    private Arithmetic() {}

    static long gradient(long weights, long step, int microBatch) {
        return mix(weights ^ mix(step * 1_000_003 + microBatch));
    }

    static long update(long weights, long sum) {
        return mix(weights + 0x9E3779B97F4A7C15L * sum);
    }

    /** The weights of an undisturbed run: entry s after s steps. */
    static long[] undisturbed(int steps, int microBatches) {
        long[] weights = new long[steps + 1];
        weights[0] = SEED_WEIGHTS;
        for (int step = 0; step < steps; step++) {
            long sum = 0;
            for (int microBatch = 0; microBatch < microBatches; microBatch++) {
                sum += gradient(weights[step], step, microBatch);
            }
            weights[step + 1] = update(weights[step], sum);
        }
        return weights;
    }

    private static long mix(long value) {
        long mixed = (value ^ (value >>> 32)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 29)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 32);
    }
}
