package io.rasterflow.actors.run;

import io.rasterflow.model.probe.ProbeConfig;

/**
 * How checkpoints are evaluated.
 *
 * @param everySteps steps between probes; the untrained and the last weights are always probed; rounded up to the next
 *     checkpoint
 * @param trainImages at most so many training images are turned into features
 * @param batch images per forward pass of the evaluation
 * @param attentive the probe itself
 */
public record ProbePlan(long everySteps, long trainImages, int batch, ProbeConfig attentive) {
    public ProbePlan {
        if (everySteps < 1 || trainImages < 1 || batch < 1) {
            throw new IllegalArgumentException(
                    "probe.everySteps, probe.trainImages and probe.evaluationBatch must be at" + " least 1 but are "
                            + everySteps + ", " + trainImages + " and " + batch);
        }
    }
}
