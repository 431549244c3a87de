package io.rasterflow.model.checkpoint;

/**
 * What {@code state.json} holds beside the tensors of a checkpoint.
 *
 * @param step optimizer steps taken
 * @param epoch epoch of the next position
 * @param position next global sample position, counted from the start of the run
 * @param seed seed of the run
 * @param worldSize ranks at the time of writing (informative: resuming accepts any)
 * @param trainLoss loss of the last step, NaN before the first
 * @param validationLoss last known, NaN before the first
 * @param weightsSha256 over the tensors of model.safetensors in name order, little-endian float32
 * @param emaSha256 the same of ema.safetensors; empty where the weights are not averaged
 * @param history digest of the gradient sums behind the weights; empty where they come from elsewhere
 */
public record TrainingState(
        long step,
        long epoch,
        long position,
        long seed,
        int worldSize,
        double trainLoss,
        double validationLoss,
        String weightsSha256,
        String emaSha256,
        String history) {

    /** Without an average of the weights, and of unknown history. */
    public TrainingState(
            long step,
            long epoch,
            long position,
            long seed,
            int worldSize,
            double trainLoss,
            double validationLoss,
            String weightsSha256) {
        this(step, epoch, position, seed, worldSize, trainLoss, validationLoss, weightsSha256, "", "");
    }
}
