package io.rasterflow.model.probe;

import java.util.SplittableRandom;

/** Random numbers whose every bit is fixed by the seed. */
final class Draws {
    private Draws() {}

    /** In [0, 1). */
    static double unit(SplittableRandom random) {
        return (random.nextLong() >>> 11) * 0x1p-53;
    }

    static void uniform(SplittableRandom random, float[] values, int from, int to, double bound) {
        for (int i = from; i < to; i++) {
            values[i] = (float) ((2 * unit(random) - 1) * bound);
        }
    }

    /** 0..size-1 in random order. */
    static long[] permutation(int size, SplittableRandom random) {
        long[] order = new long[size];
        for (int i = 0; i < size; i++) {
            int j = (int) (unit(random) * (i + 1));
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }
}
