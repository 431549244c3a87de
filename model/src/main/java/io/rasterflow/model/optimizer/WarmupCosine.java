package io.rasterflow.model.optimizer;

/**
 * Linear warm-up from 0, then a cosine to 0 (arXiv 2401.08541, section 3.3): a pure function of the step.
 *
 * @param peak learning rate at the end of the warm-up
 * @param warmupSteps steps of the warm-up, 0 for none
 * @param steps steps of the whole run; the rate is 0 from there on
 */
public record WarmupCosine(double peak, long warmupSteps, long steps) {
    public WarmupCosine {
        if (!(peak > 0) || Double.isInfinite(peak)) {
            throw new IllegalArgumentException("schedule.peak must be above 0 but is " + peak);
        }
        if (steps < 1) {
            throw new IllegalArgumentException("schedule.steps must be at least 1 but is " + steps);
        }
        if (warmupSteps < 0 || warmupSteps > steps) {
            throw new IllegalArgumentException(
                    "schedule.warmupSteps must be in 0.." + steps + " but is " + warmupSteps);
        }
    }

    /** Learning rate of the update that follows {@code step} updates; the first, at step 0, is not 0 but peak / warmupSteps. */
    public double at(long step) {
        if (step < warmupSteps) {
            return peak * (step + 1) / warmupSteps;
        }
        if (step >= steps) {
            return 0;
        }
        double progress = (double) (step - warmupSteps) / (steps - warmupSteps);
        return peak * 0.5 * (1 + Math.cos(Math.PI * progress));
    }
}
