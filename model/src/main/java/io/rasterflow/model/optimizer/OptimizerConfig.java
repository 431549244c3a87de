package io.rasterflow.model.optimizer;

/**
 * AdamW as AIM uses it (section 3.3): no decay on tensors of one dimension.
 *
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param eps added to the root of the second moment
 * @param weightDecay decoupled weight decay
 * @param clip global gradient norm above which the gradient is scaled down
 * @param ema decay of the moving average of the weights ({@link WeightAverage}), 0 for none
 */
public record OptimizerConfig(double beta1, double beta2, double eps, double weightDecay, double clip, double ema) {
    public OptimizerConfig {
        require(beta1 >= 0 && beta1 < 1, "optimizer.beta1 must be in [0, 1) but is " + beta1);
        require(beta2 >= 0 && beta2 < 1, "optimizer.beta2 must be in [0, 1) but is " + beta2);
        require(eps > 0, "optimizer.eps must be above 0 but is " + eps);
        require(weightDecay >= 0, "optimizer.weightDecay must not be negative but is " + weightDecay);
        require(clip > 0, "optimizer.clip must be above 0 but is " + clip);
        require(ema >= 0 && ema < 1, "optimizer.ema must be in [0, 1) but is " + ema);
    }

    /** Without an average of the weights. */
    public OptimizerConfig(double beta1, double beta2, double eps, double weightDecay, double clip) {
        this(beta1, beta2, eps, weightDecay, clip, 0);
    }

    /** Whether the weights are averaged. */
    public boolean averages() {
        return ema > 0;
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
