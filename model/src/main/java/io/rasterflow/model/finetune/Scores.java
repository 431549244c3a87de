package io.rasterflow.model.finetune;

/**
 * How a classifier does on images; scores of several batches can be added.
 *
 * @param images how many were classified
 * @param first how many labels came first
 * @param firstFive how many labels were among the first five
 * @param lossSum sum of the cross-entropies
 */
public record Scores(long images, long first, long firstFive, double lossSum) {

    public static final Scores ZERO = new Scores(0, 0, 0, 0);

    public Scores plus(Scores other) {
        return new Scores(
                images + other.images, first + other.first, firstFive + other.firstFive, lossSum + other.lossSum);
    }

    /** Top-1 as a fraction. */
    public double accuracy() {
        return (double) first / images;
    }

    /** Top-5 as a fraction. */
    public double topFive() {
        return (double) firstFive / images;
    }

    /** Mean cross-entropy. */
    public double loss() {
        return lossSum / images;
    }
}
