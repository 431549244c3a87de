package io.rasterflow.model.probe;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What one head says about some images.
 *
 * @param labels the true label of each of n images
 * @param best the labels it holds most likely, k for each image one after the other, the likeliest first
 * @param loss mean cross-entropy, NaN where there is none
 */
public record Predictions(int[] labels, int[] best, double loss) {
    public Predictions {
        if (labels.length < 1 || best.length < labels.length || best.length % labels.length != 0) {
            throw new IllegalArgumentException("predictions need as many labels for each of at least one image but are "
                    + best.length + " for " + labels.length + " images");
        }
    }

    /** Of R heads: (R, n, k) labels and R sums of losses. */
    static List<Predictions> of(NativeFeatureSet set, long[] images, NDArray best, double[] losses) {
        long[] all = set.labels();
        int[] truth = Arrays.stream(images).mapToInt(i -> (int) all[(int) i]).toArray();
        int[] values =
                Arrays.stream(best.toLongArray()).mapToInt(Math::toIntExact).toArray();
        int each = values.length / losses.length;
        List<Predictions> heads = new ArrayList<>();
        for (int r = 0; r < losses.length; r++) {
            heads.add(new Predictions(
                    truth, Arrays.copyOfRange(values, r * each, (r + 1) * each), losses[r] / images.length));
        }
        return heads;
    }

    /** The fraction of images whose true label is among the {@code n} likeliest (all k where there are fewer). */
    public double top(int n) {
        int k = best.length / labels.length;
        int hits = 0;
        for (int i = 0; i < labels.length; i++) {
            for (int j = 0; j < Math.min(n, k); j++) {
                hits += best[i * k + j] == labels[i] ? 1 : 0;
            }
        }
        return (double) hits / labels.length;
    }

    /** How often each label was taken for each. */
    public Confusion confusion(int classes) {
        int k = best.length / labels.length;
        int[] counts = new int[classes * classes];
        for (int i = 0; i < labels.length; i++) {
            counts[labels[i] * classes + best[i * k]]++;
        }
        return new Confusion(classes, counts);
    }
}
