package io.rasterflow.model.finetune;

/**
 * How a pre-trained trunk is fine-tuned on labelled images.
 *
 * @param kind what is trained beside the head
 * @param rank r of the adapters on q, v and proj; of {@link Kind#LORA} only
 * @param alpha the adapters' product is scaled by alpha / rank; of {@link Kind#LORA} only
 * @param classes number of labels
 * @param lastBlocks the head reads the mean of the outputs of this many last blocks (all of a shallower trunk)
 * @param epochs passes over the training images; a pass is the whole number of batches that fits
 * @param batch images of a step
 * @param learningRate peak of the head's and adapters' learning rate, and of the top of the trunk's
 * @param weightDecay AdamW weight decay of matrices; parameters of one dimension do not decay
 * @param layerDecay the learning rate of each block is this times that of the block above; of {@link Kind#FULL} only
 * @param warmupEpochs linear warm-up before the cosine to 0
 * @param mixup alpha of mixup's Beta(alpha, alpha), 0 for none
 * @param cutmix alpha of cutmix's Beta(alpha, alpha), 0 for none
 * @param mixProbability how often a batch is mixed, by mixup or by cutmix with equal chance where both are on
 * @param labelSmoothing share of each label that is spread over all classes
 * @param erasing probability that a rectangle of an image is replaced by noise
 * @param ema decay of the moving average of the weights that is evaluated and written, 0 for none; in step t (from 1) it
 *     is at most (1 + t) / (10 + t), so that short runs forget their first weights too
 * @param clip global gradient norm above which the gradient is scaled down, 0 for none
 * @param seed of the new weights, the order, the augmentation and the mixing
 */
public record FineTuneConfig(
        Kind kind,
        int rank,
        double alpha,
        int classes,
        int lastBlocks,
        int epochs,
        int batch,
        double learningRate,
        double weightDecay,
        double layerDecay,
        double warmupEpochs,
        double mixup,
        double cutmix,
        double mixProbability,
        double labelSmoothing,
        double erasing,
        double ema,
        double clip,
        long seed) {

    public enum Kind {
        /** Low-rank adapters on frozen weights (arXiv 2106.09685). */
        LORA,
        /** Every weight that the features pass. */
        FULL
    }

    public FineTuneConfig {
        atLeastOne("rank", rank);
        positive("alpha", alpha);
        atLeastOne("classes", classes);
        atLeastOne("lastBlocks", lastBlocks);
        atLeastOne("epochs", epochs);
        require(batch >= 2, "batch must be at least 2, since the head normalises over the batch,", batch);
        positive("learningRate", learningRate);
        notNegative("weightDecay", weightDecay);
        require(layerDecay > 0 && layerDecay <= 1, "layerDecay must be above 0 and at most 1", layerDecay);
        require(
                warmupEpochs >= 0 && warmupEpochs <= epochs,
                "warmupEpochs must be between 0 and finetune.epochs (" + epochs + ")",
                warmupEpochs);
        notNegative("mixup", mixup);
        notNegative("cutmix", cutmix);
        fraction("mixProbability", mixProbability);
        require(labelSmoothing >= 0 && labelSmoothing < 1, "labelSmoothing must be in [0, 1)", labelSmoothing);
        fraction("erasing", erasing);
        require(ema >= 0 && ema < 1, "ema must be in [0, 1)", ema);
        notNegative("clip", clip);
    }

    /** What the adapters' product is multiplied by. */
    public double scale() {
        return alpha / rank;
    }

    private static void atLeastOne(String key, int value) {
        require(value >= 1, key + " must be at least 1", value);
    }

    private static void positive(String key, double value) {
        require(value > 0 && Double.isFinite(value), key + " must be above 0", value);
    }

    private static void notNegative(String key, double value) {
        require(value >= 0 && Double.isFinite(value), key + " must not be negative", value);
    }

    private static void fraction(String key, double value) {
        require(value >= 0 && value <= 1, key + " must be between 0 and 1", value);
    }

    private static void require(boolean condition, String message, Object value) {
        if (!condition) {
            throw new IllegalArgumentException("finetune." + message + " but is " + value);
        }
    }
}
