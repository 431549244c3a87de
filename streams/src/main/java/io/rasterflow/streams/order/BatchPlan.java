package io.rasterflow.streams.order;

/**
 * Which positions belong to which micro-batch. Global step s owns positions [s·G, (s+1)·G); micro-batch m of it owns a
 * contiguous run of them. Nothing here knows how many ranks there are: a rank takes a run of micro-batches.
 *
 * @param globalBatch G images in a step
 * @param microBatches M micro-batches; their sizes differ by at most 1
 */
public record BatchPlan(int globalBatch, int microBatches) {

    public BatchPlan {
        if (globalBatch < 1) {
            throw new IllegalArgumentException("train.batch must be at least 1 but is " + globalBatch);
        }
        if (microBatches < 1 || microBatches > globalBatch) {
            throw new IllegalArgumentException("train.microBatches must be between 1 and train.batch (" + globalBatch
                    + ") but is " + microBatches);
        }
    }

    /** Offset of micro-batch {@code m} within its step; {@code m} = M gives G. */
    public int start(int m) {
        if (m < 0 || m > microBatches) {
            throw new IndexOutOfBoundsException("micro-batch " + m + " of " + microBatches);
        }
        return (int) ((long) m * globalBatch / microBatches);
    }

    /** Images in micro-batch {@code m}. */
    public int size(int m) {
        return start(m + 1) - start(m);
    }

    /** The largest size of a micro-batch. */
    public int maxSize() {
        return (globalBatch + microBatches - 1) / microBatches;
    }

    /** Position of the first image of micro-batch {@code m} of step {@code step}. */
    public long firstPosition(long step, int m) {
        return Math.addExact(Math.multiplyExact(step, globalBatch), start(m));
    }
}
