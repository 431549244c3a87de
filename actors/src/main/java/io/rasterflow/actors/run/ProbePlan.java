package io.rasterflow.actors.run;

import io.rasterflow.model.probe.HeadConfig;
import io.rasterflow.model.probe.KnnConfig;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;
import java.util.List;

/**
 * How checkpoints are evaluated.
 *
 * @param everySteps steps between probes; the untrained and the last weights are always probed; rounded up to the next
 *     checkpoint
 * @param trainImages at most so many training images are turned into features
 * @param batch images per forward pass of the evaluation
 * @param kind see {@link ProbeConfig}, as are the following
 */
public record ProbePlan(
        long everySteps,
        long trainImages,
        int batch,
        ProbeKind kind,
        String layers,
        int classes,
        List<Double> learningRates,
        double heldOut,
        long cacheBytes,
        HeadConfig attentive,
        HeadConfig linear,
        KnnConfig knn) {
    public ProbePlan {
        if (everySteps < 1 || trainImages < 1 || batch < 1) {
            throw new IllegalArgumentException(
                    "probe.everySteps, probe.trainImages and probe.batch must be at least 1 but are " + everySteps
                            + ", " + trainImages + " and " + batch);
        }
        learningRates = new ProbeConfig(
                        kind, layers, classes, learningRates, heldOut, cacheBytes, attentive, linear, knn)
                .learningRates();
    }

    /** What the model needs to know of it. */
    public ProbeConfig config() {
        return new ProbeConfig(kind, layers, classes, learningRates, heldOut, cacheBytes, attentive, linear, knn);
    }
}
