package io.rasterflow.model;

/**
 * What a model predicts of one image of G·G patches.
 *
 * <p>Where targets are normalised the model says nothing of a patch's mean and variance: its prediction is shown with
 * those of the true patch, as in the papers, and so looks better than what the model knows.
 *
 * @param grid patches per side G
 * @param pixels (C, H, W) in the values of the input; NaN where a patch has no prediction
 * @param losses (G, G) mean squared error of every patch in the terms of the objective; NaN where the model was shown
 *     the patch, as part of the prefix or unmasked, so that the loss does not count it
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared
public record PredictedImage(int grid, float[] pixels, float[] losses) {

    /** Whether the loss counts a patch, by its place in raster order. */
    public boolean counts(int patch) {
        return !Float.isNaN(losses[patch]);
    }

    /** Patches that the model was shown: the prefix length of the paper's objective. */
    public int shown() {
        int shown = 0;
        for (int patch = 0; patch < losses.length; patch++) {
            shown += counts(patch) ? 0 : 1;
        }
        return shown;
    }

    /** The mean over the patches that count. */
    public double loss() {
        double sum = 0;
        for (int patch = 0; patch < losses.length; patch++) {
            sum += counts(patch) ? losses[patch] : 0;
        }
        return sum / (losses.length - shown());
    }
}
