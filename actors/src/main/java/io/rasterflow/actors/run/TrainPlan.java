package io.rasterflow.actors.run;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Precision;

/**
 * How a run trains.
 *
 * @param steps optimizer steps of the whole run
 * @param batch global batch G in images
 * @param microBatches micro-batches M of a global batch; fixed, so that the sum's order does not depend on the world size
 * @param learningRate peak
 * @param warmupSteps linear warm-up before the cosine
 * @param precision of the matrix products
 * @param device {@code auto}, {@code cpu} or {@code cuda:N}
 * @param activationBytes memory for the activations of a micro-batch, 0 for no limit
 * @param seed of weights, order and augmentation
 * @param checkpointEverySteps steps between checkpoints; each is also validated
 */
public record TrainPlan(
        long steps,
        int batch,
        int microBatches,
        double learningRate,
        long warmupSteps,
        Precision precision,
        String device,
        long activationBytes,
        long seed,
        long checkpointEverySteps) {
    public TrainPlan {
        new Compute(precision, device, activationBytes);
        require(steps >= 1, "train.steps must be at least 1 but is " + steps);
        require(batch >= 1, "train.batch must be at least 1 but is " + batch);
        require(
                microBatches >= 1 && microBatches <= batch,
                "train.microBatches must be between 1 and train.batch (" + batch + ") but is " + microBatches);
        require(
                Double.isFinite(learningRate) && learningRate > 0,
                "train.learningRate must be above 0 but is " + learningRate);
        require(
                warmupSteps >= 0 && warmupSteps <= steps,
                "train.warmupSteps must be between 0 and train.steps (" + steps + ") but is " + warmupSteps);
        require(
                checkpointEverySteps >= 1,
                "train.checkpointEverySteps must be at least 1 but is " + checkpointEverySteps);
    }

    /** How every rank and every evaluation computes the model. */
    public Compute compute() {
        return new Compute(precision, device, activationBytes);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
