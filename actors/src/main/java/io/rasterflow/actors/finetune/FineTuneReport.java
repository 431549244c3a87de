package io.rasterflow.actors.finetune;

import java.util.List;

/**
 * What a fine-tuning came to.
 *
 * @param epochs one after the other; the last one counts, not the best on the validation images
 * @param steps optimizer steps taken
 * @param trainableParameters values that were trained, head included
 * @param trainImages labelled images that were trained on
 * @param badSamples images that could not be read and were replaced
 * @param imagesPerSecond of training, evaluation not counted
 * @param seconds altogether
 */
public record FineTuneReport(
        List<Epoch> epochs,
        long steps,
        long trainableParameters,
        long trainImages,
        long badSamples,
        double imagesPerSecond,
        double seconds) {

    /**
     * Where the model stood after an epoch.
     *
     * @param epoch counted from 1
     * @param trainLoss mean cross-entropy over the epoch, of soft targets where images are mixed
     * @param validationLoss mean cross-entropy on the validation images
     * @param accuracy top-1 on them as a fraction
     * @param top5 as a fraction
     * @param validationImages how many they are
     */
    public record Epoch(
            int epoch, double trainLoss, double validationLoss, double accuracy, double top5, long validationImages) {}

    public FineTuneReport {
        epochs = List.copyOf(epochs);
    }

    /** Where the model stands in the end. */
    public Epoch last() {
        return epochs.get(epochs.size() - 1);
    }
}
