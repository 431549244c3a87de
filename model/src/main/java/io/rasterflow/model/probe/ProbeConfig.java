package io.rasterflow.model.probe;

/**
 * How an attentive probe is trained.
 *
 * @param lastBlocks features are the mean of the outputs of this many last blocks
 * @param classes number of labels
 * @param epochs passes over the training features
 * @param batch images per probe step
 * @param learningRate peak of the cosine schedule
 * @param weightDecay AdamW weight decay
 */
public record ProbeConfig(int lastBlocks, int classes, int epochs, int batch, double learningRate, double weightDecay) {
    public ProbeConfig {
        requirePositive("probe.lastBlocks", lastBlocks);
        requirePositive("probe.classes", classes);
        requirePositive("probe.epochs", epochs);
        requirePositive("probe.batch", batch);
        if (!(learningRate > 0)) {
            throw new IllegalArgumentException("probe.learningRate must be above 0 but is " + learningRate);
        }
        if (!(weightDecay >= 0)) {
            throw new IllegalArgumentException("probe.weightDecay must not be negative but is " + weightDecay);
        }
    }

    private static void requirePositive(String key, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(key + " must be at least 1 but is " + value);
        }
    }
}
