package io.rasterflow.model.probe;

import java.util.List;

/**
 * What a probe reached. Figures that do not exist are NaN: the nearest neighbours have no losses and no learning rate.
 *
 * @param kind what was put on the features
 * @param blocks whose outputs the features are the mean of
 * @param learningRate of the head that is reported; of several, that with the best accuracy on held-out training images
 * @param candidates each learning rate on the held-out training images; empty where there was nothing to choose
 * @param accuracy top-1 on the validation features, as a fraction
 * @param top5 the fraction whose label is among the five likeliest
 * @param loss mean cross-entropy on the validation features
 * @param trainLoss mean cross-entropy of the last epoch on the training features
 * @param confusion on the validation features
 * @param trainImages images that the head was trained on
 * @param validationImages images that the figures are over
 * @param attention where the head looks in the validation images that were asked for, if it is attentive
 */
public record ProbeReport(
        ProbeKind kind,
        Blocks blocks,
        double learningRate,
        List<Candidate> candidates,
        double accuracy,
        double top5,
        double loss,
        double trainLoss,
        Confusion confusion,
        int trainImages,
        int validationImages,
        List<AttentionMap> attention) {

    /**
     * One learning rate, trained without the held-out images.
     *
     * @param accuracy top-1 on the held-out training images
     * @param loss mean cross-entropy on them
     */
    public record Candidate(double learningRate, double accuracy, double loss) {
        /** Whether it beats another: by accuracy, then by loss. */
        boolean beats(Candidate other) {
            return accuracy > other.accuracy || accuracy == other.accuracy && loss < other.loss;
        }
    }

    public ProbeReport {
        candidates = List.copyOf(candidates);
        attention = List.copyOf(attention);
    }

    /** Accuracy of the best candidate on held-out training images; NaN where there was nothing to choose. */
    public double heldOutAccuracy() {
        return candidates.stream().mapToDouble(Candidate::accuracy).max().orElse(Double.NaN);
    }
}
