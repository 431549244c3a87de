package io.rasterflow.tests.endtoend;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Something that goes wrong in a run.
 *
 * @param atStep the run must have come so far
 * @param delayMillis that it waits then, so that it strikes at any point of a step
 * @param draw in [0, 1): who is struck
 * @param nodes how many, of a cut
 * @param millis how long
 */
record ChaosFault(Kind kind, long atStep, long delayMillis, double draw, int nodes, long millis) {

    enum Kind {
        /** SIGKILL; the node is started again, here or elsewhere. */
        KILL,
        /** SIGSTOP, and SIGCONT when the time is over. */
        STOP,
        /** SIGTERM: a trainer leaves in good order. */
        DRAIN,
        /** One more node than the run began with. */
        JOIN,
        /** Some cannot reach the others, but each other. */
        CUT,
        /** One reaches nobody. */
        UNPLUG;

        boolean ofNetwork() {
            return this == CUT || this == UNPLUG;
        }
    }

    /** Shorter than it takes the cluster to decide, or longer. */
    private static final long SHORT_MILLIS = 5_000;

    private static final long LONG_MILLIS = 16_000;

    /**
     * Spread over the run but for its end; of each kind as many as of any other, in an order of the seed's.
     *
     * @param lasting whether they may last until the cluster gives nodes up
     */
    static List<ChaosFault> draw(Random random, List<Kind> kinds, int count, long steps, boolean lasting) {
        List<Kind> order = new ArrayList<>();
        while (order.size() < count) {
            List<Kind> deck = new ArrayList<>(kinds);
            Collections.shuffle(deck, random);
            order.addAll(deck);
        }
        List<ChaosFault> faults = new ArrayList<>();
        double spacing = 0.75 * steps / count;
        for (int i = 0; i < count; i++) {
            boolean lasts = lasting && random.nextBoolean();
            faults.add(new ChaosFault(
                    order.get(i),
                    (long) (0.05 * steps + (i + random.nextDouble()) * spacing),
                    random.nextInt(500),
                    random.nextDouble(),
                    1 + random.nextInt(2),
                    between(random, lasts ? SHORT_MILLIS : 1_000, lasts ? LONG_MILLIS : SHORT_MILLIS)));
        }
        return faults;
    }

    private static long between(Random random, long low, long high) {
        return low + (long) (random.nextDouble() * (high - low));
    }
}
