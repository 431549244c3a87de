package io.rasterflow.model.probe;

import java.util.List;

/**
 * How frozen features are probed.
 *
 * @param kind what is put on them
 * @param layers which blocks' outputs they are the mean of, see {@link Layers}
 * @param classes number of labels
 * @param learningRates peaks of the cosine schedule; of several, the best on held-out training images is taken
 * @param heldOut the fraction of the training images that choose among learning rates or layers
 * @param cacheBytes most bytes of native memory for cached features
 * @param attentive training of the attentive head
 * @param linear training of the linear head
 * @param knn the vote of the nearest neighbours
 */
public record ProbeConfig(
        ProbeKind kind,
        String layers,
        int classes,
        List<Double> learningRates,
        double heldOut,
        long cacheBytes,
        HeadConfig attentive,
        HeadConfig linear,
        KnnConfig knn) {

    /** The grid of arXiv 2401.08541. */
    public static final List<Double> PAPER_RATES = List.of(1e-4, 3e-4, 5e-4, 10e-4, 15e-4, 20e-4, 40e-4);

    public ProbeConfig {
        Layers.check(layers);
        require(classes >= 2, "probe.classes must be at least 2 but is " + classes);
        learningRates = List.copyOf(learningRates);
        require(!learningRates.isEmpty(), "probe.learningRates must hold at least one rate but is empty");
        for (double rate : learningRates) {
            require(rate > 0 && Double.isFinite(rate), "probe.learningRates must be above 0 but are " + learningRates);
        }
        require(
                learningRates.stream().distinct().count() == learningRates.size(),
                "probe.learningRates must differ from each other but are " + learningRates);
        require(heldOut > 0 && heldOut < 1, "probe.heldOut must be between 0 and 1 but is " + heldOut);
        require(cacheBytes >= 1, "probe.cacheBytes must be at least 1 but is " + cacheBytes);
        check("attentive", attentive);
        check("linear", linear);
    }

    /** The training of the head of this kind; the nearest neighbours have none. */
    public HeadConfig head() {
        return switch (kind) {
            case ATTENTIVE -> attentive;
            case LINEAR -> linear;
            case KNN -> throw new IllegalStateException("the nearest neighbours have no head");
        };
    }

    /** Whether learning rates or layers are chosen among, which needs held-out training images. */
    public boolean chooses() {
        return Layers.several(layers) || kind != ProbeKind.KNN && learningRates.size() > 1;
    }

    /**
     * Bytes of the cache that one layer's features take.
     *
     * @param layerBytes of one image
     * @throws IllegalArgumentException if there is no room for them, saying what to try
     */
    public double cached(long layerBytes, long trainImages, long validationImages) {
        double bytes = (double) layerBytes * (trainImages + validationImages);
        require(
                bytes <= cacheBytes,
                "the features of " + trainImages + " training and " + validationImages + " validation images take "
                        + megabytes(bytes) + " but probe.cacheBytes allows " + megabytes(cacheBytes)
                        + (kind.pooled()
                                ? ""
                                : "; take probe.kind=linear or knn, which keep only their mean over the patches")
                        + "; lower probe.trainImages, or raise probe.cacheBytes if the machine has that much memory");
        return bytes;
    }

    private static String megabytes(double bytes) {
        return Math.round(bytes / 1e6) + " MB";
    }

    private static void check(String section, HeadConfig head) {
        String key = "probe." + section;
        require(head.epochs() >= 1, key + ".epochs must be at least 1 but is " + head.epochs());
        require(head.batch() >= 2, key + ".batch must be at least 2 but is " + head.batch());
        require(
                head.weightDecay() >= 0 && Double.isFinite(head.weightDecay()),
                key + ".weightDecay must not be negative but is " + head.weightDecay());
    }

    private static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }
}
