package io.rasterflow.actors.run;

import io.rasterflow.model.Compute;
import io.rasterflow.model.Precision;
import io.rasterflow.model.optimizer.Schedule;
import io.rasterflow.streams.order.BatchPlan;

/**
 * How a run trains.
 *
 * @param steps optimizer steps of the whole run
 * @param batch global batch G in images
 * @param microBatches micro-batches M of a global batch; fixed, so that the sum's order does not depend on the world size
 * @param schedule cosine, constant or linear; see {@link Schedule}
 * @param learningRate peak
 * @param finalLearningRate what the schedule falls to
 * @param warmupSteps linear warm-up before it
 * @param cooldownSteps the last steps of a constant schedule, over which it falls; 0 for none
 * @param cooldown shape of that fall
 * @param precision of the matrix products
 * @param device {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:N}; see {@link Compute}
 * @param activationBytes memory for the activations that a trainer holds at a time, 0 for no limit
 * @param threads of each trainer on a processor
 * @param seed of weights, order and augmentation
 * @param checkpointEverySteps steps between checkpoints; each is also validated
 */
public record TrainPlan(
        long steps,
        int batch,
        int microBatches,
        Schedule.Kind schedule,
        double learningRate,
        double finalLearningRate,
        long warmupSteps,
        long cooldownSteps,
        Schedule.Cooldown cooldown,
        Precision precision,
        String device,
        long activationBytes,
        int threads,
        long seed,
        long checkpointEverySteps) {
    public TrainPlan {
        new Compute(precision, device, activationBytes, threads);
        new Schedule(schedule, learningRate, finalLearningRate, warmupSteps, cooldownSteps, cooldown, steps);
        require(batch >= 1, "train.batch must be at least 1 but is " + batch);
        require(
                microBatches >= 1 && microBatches <= batch,
                "train.microBatches must be between 1 and train.batch (" + batch + ") but is " + microBatches);
        require(
                checkpointEverySteps >= 1,
                "train.checkpointEverySteps must be at least 1 but is " + checkpointEverySteps);
    }

    /** How every rank and every evaluation computes the model. */
    public Compute compute() {
        return new Compute(precision, device, activationBytes, threads);
    }

    /** How a step's global batch is cut into micro-batches. */
    public BatchPlan batches() {
        return new BatchPlan(batch, microBatches);
    }

    /** The learning rate of every step. */
    public Schedule rates() {
        return new Schedule(schedule, learningRate, finalLearningRate, warmupSteps, cooldownSteps, cooldown, steps);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
