package io.rasterflow.streams.order;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/**
 * How near a windowed order comes to a full shuffle of all samples, in four figures, each beside its exact expectation under
 * a full shuffle. Measured on about 65,000 positions spread evenly over {@value #EPOCHS} epochs, or on 16 batches if they
 * are larger, so that it takes a moment also for 10^10 samples. The same order always gives the same figures.
 *
 * <p>N samples, S shards of n_s samples, batches of b; x_p is the running number of the sample at position p.
 *
 * <ul>
 *   <li>{@code distinctShards}: from how many shards a batch comes. Few is bad if shards differ from each other (crawled by
 *       site or date, sorted by class). Full shuffle: Σ_s [1 - C(N - n_s, b) / C(N, b)], the chance that a draw without
 *       replacement meets each shard. {@code ratio} 1 is as good as a full shuffle.
 *   <li>{@code neighbourDistance}: mean |x_{p+1} - x_p|, in samples. Full shuffle: (N + 1) / 3, the mean distance of two
 *       different numbers of 1 … N. {@code ratio} near 1 is good, near 0 means that what lies together stays together.
 *   <li>{@code serialCorrelation}: of x_p and x_{p+1}, as 1 - mean (x_{p+1} - x_p)² / 2σ² (von Neumann 1941, Distribution of
 *       the ratio of the mean square successive difference to the variance), with σ² = (N² - 1) / 12 of all numbers. Full
 *       shuffle: -1 / (N - 1) (Wald and Wolfowitz 1943, An exact test for randomness in the non-parametric case based on
 *       serial correlation). In windows of W of S equal shards about 1 / W - (1 - 1 / W) / (S - 1): the chance that two
 *       neighbours are of one shard. 0 is good; 1 is reading in stored order.
 *   <li>{@code labelDistance}: mean over batches of ½ Σ_l |K_l / b - N_l / N|, the total-variation distance of the labels in
 *       the batch from those in the data; 0 is the same mixture, 1 is nothing in common. Under a full shuffle K_l is
 *       hypergeometric and its mean absolute deviation is summed exactly, see {@link Hypergeometric}. {@code ratio} 1 is as
 *       good as a full shuffle; 2 means that labels crowd in batches as if they were a quarter of the size.
 * </ul>
 *
 * <p>With few shards the figures vary from epoch to epoch by the luck of which shards meet, and ratios a few hundredths from 1
 * mean nothing.
 *
 * @param batch b images in a batch; the whole data if that is less
 * @param batches that were looked at
 * @param distinctShards mean number of different shards in a batch
 * @param neighbourDistance mean distance in the data of samples at neighbouring positions; empty if N is 1
 * @param serialCorrelation of the places in the data of samples at neighbouring positions, at most 1; empty if N is 1
 * @param labelDistance mean distance of a batch's labels from those of the data, 0 … 1; empty without labels, or if all are
 *     the same
 */
public record ShuffleQuality(
        int batch,
        int batches,
        Compared distinctShards,
        Optional<Compared> neighbourDistance,
        Optional<Compared> serialCorrelation,
        Optional<Compared> labelDistance) {

    /** Epochs over which the batches are spread. */
    static final int EPOCHS = 8;

    /**
     * A figure beside what a full shuffle would give.
     *
     * @param measured of this order
     * @param fullShuffle exact expectation under a full shuffle
     */
    public record Compared(double measured, double fullShuffle) {

        /** Measured in units of what a full shuffle gives; says nothing of a correlation, where that is nearly 0. */
        public double ratio() {
            return measured / fullShuffle;
        }
    }

    /** Where the measure finds the label of a sample. */
    @FunctionalInterface
    public interface Labels {
        /** The class of a sample, -1 if it has none. */
        int label(int shard, int sample) throws IOException;
    }

    /**
     * Measures an order by the places of samples alone.
     *
     * @param order of one source; for a mixture see {@link MixedOrder#order}
     * @param batch images that are used together: of all ranks, and of this source only
     */
    public static ShuffleQuality of(SampleOrder order, int batch) {
        ShuffleSample sample = new ShuffleSample(order, batch);
        sample.draw();
        return sample.result(Optional.empty());
    }

    /**
     * Measures an order by the places and labels of samples. Looks up about 65,000 labels, neighbours in the order after one
     * another, so that few shards need be open at a time.
     *
     * @param histogram samples of each label in all the data of the order, -1 for those without
     * @throws IOException if a label cannot be read
     * @throws IllegalArgumentException if the histogram is not one of as many samples as the order has
     */
    public static ShuffleQuality of(SampleOrder order, int batch, Map<Integer, Long> histogram, Labels labels)
            throws IOException {
        long counted = histogram.values().stream().mapToLong(Long::longValue).sum();
        if (counted != order.size()) {
            throw new IllegalArgumentException("the histogram counts " + counted + " labels for " + order.size()
                    + " samples; count those of the same shards");
        }
        ShuffleSample sample = new ShuffleSample(order, batch);
        sample.draw();
        return sample.result(
                histogram.size() < 2 ? Optional.empty() : Optional.of(sample.labelDistance(histogram, labels)));
    }
}
