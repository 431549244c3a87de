package io.rasterflow.actors.exchange;

import java.util.Arrays;

/** The scalars of one step, by micro-batch. A fast peer's next step has a board of its own. Guarded by the exchange. */
final class StepBoard {

    static final long NONE = Long.MIN_VALUE;

    private final LossCounts[] counts;
    private long step = NONE;
    private int missing;
    private int signals;

    StepBoard(int microBatches) {
        this.counts = new LossCounts[microBatches];
        this.missing = microBatches;
    }

    long step() {
        return step;
    }

    void assign(long newStep) {
        step = newStep;
    }

    void put(int first, Scalars scalars) {
        LossCounts[] run = scalars.run();
        for (int i = 0; i < run.length; i++) {
            if (counts[first + i] != null) {
                throw new ExchangeException("micro-batch " + (first + i) + " of step " + step + " came twice");
            }
            counts[first + i] = run[i];
        }
        missing -= run.length;
        signals |= scalars.signals();
    }

    boolean complete() {
        return missing == 0;
    }

    LossCounts sum() {
        return LossCounts.sum(counts, ReductionTree.root(counts.length));
    }

    /** The first micro-batch whose loss is not finite; -1 when all are. */
    int firstNonFinite() {
        for (int m = 0; m < counts.length; m++) {
            if (!counts[m].finite()) {
                return m;
            }
        }
        return -1;
    }

    /** What any rank has signalled. */
    int signals() {
        return signals;
    }

    void clear() {
        signals = 0;
        Arrays.fill(counts, null);
        missing = counts.length;
        step = NONE;
    }
}
