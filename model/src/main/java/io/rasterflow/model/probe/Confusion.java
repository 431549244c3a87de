package io.rasterflow.model.probe;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** How often images of each class were taken for each class. Immutable. */
public final class Confusion {
    private final int classes;
    private final int[] counts;

    /** @param counts (true class, predicted class) row-major */
    public Confusion(int classes, int[] counts) {
        if (counts.length != classes * classes) {
            throw new IllegalArgumentException(
                    "a confusion matrix of " + classes + " classes cannot have " + counts.length + " entries");
        }
        this.classes = classes;
        this.counts = counts.clone();
    }

    /**
     * One class. Both fractions are NaN where they would divide by nothing.
     *
     * @param label of the class
     * @param precision of the images taken for this class, the fraction that is of it
     * @param recall of the images of this class, the fraction that was taken for it
     * @param support images of this class
     * @param taken images taken for this class
     */
    public record ClassRow(int label, double precision, double recall, int support, int taken) {}

    public int classes() {
        return classes;
    }

    /** Images of one class that were taken for another (or the same). */
    public int count(int truth, int predicted) {
        return counts[truth * classes + predicted];
    }

    /** Row by true class, column by predicted class. */
    public int[][] rows() {
        int[][] rows = new int[classes][];
        for (int i = 0; i < classes; i++) {
            rows[i] = Arrays.copyOfRange(counts, i * classes, (i + 1) * classes);
        }
        return rows;
    }

    /** One row for each class. */
    public List<ClassRow> table() {
        List<ClassRow> table = new ArrayList<>();
        for (int i = 0; i < classes; i++) {
            int support = 0;
            int taken = 0;
            for (int j = 0; j < classes; j++) {
                support += count(i, j);
                taken += count(j, i);
            }
            double hits = count(i, i);
            table.add(new ClassRow(
                    i,
                    taken == 0 ? Double.NaN : hits / taken,
                    support == 0 ? Double.NaN : hits / support,
                    support,
                    taken));
        }
        return table;
    }

    /** The class for which images of this one are most often mistaken; -1 if none is. */
    public int mistakenFor(int truth) {
        int most = -1;
        for (int j = 0; j < classes; j++) {
            if (j != truth && count(truth, j) > (most < 0 ? 0 : count(truth, most))) {
                most = j;
            }
        }
        return most;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Confusion that && classes == that.classes && Arrays.equals(counts, that.counts);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(counts);
    }

    @Override
    public String toString() {
        return Arrays.deepToString(rows());
    }
}
