package io.rasterflow.model.optimizer;

import java.util.Locale;

/**
 * The learning rate as a pure function of the step: a linear warm-up from 0, then one of three ways to the end.
 *
 * <pre>
 *   N steps, W of warm-up, C of cool-down, s updates so far
 *
 *   cosine     p = (s - W) / (N - W)          final + (peak - final) · (1 + cos πp) / 2     arXiv 2401.08541, section 3.3
 *   linear     p = (s - W) / (N - W)          final + (peak - final) · (1 - p)
 *   constant   peak, and for the last C steps
 *              q = (s - (N - C)) / C          final + (peak - final) · (1 - q)              cooldown linear
 *                                             final + (peak - final) · (1 - √q)             cooldown sqrt
 * </pre>
 *
 * <p>Constant with a cool-down is the schedule of arXiv 2405.18392: its constant part is the same for every N, so that a
 * cool-down can branch off from any checkpoint of one long run.
 *
 * @param kind the way from the warm-up to the end
 * @param peak learning rate at the end of the warm-up
 * @param last learning rate ({@code final} above) that the run approaches; that of every step from N on
 * @param warmupSteps W, 0 for none
 * @param cooldownSteps C, only with {@link Kind#CONSTANT}; 0 for none
 * @param cooldown shape of the cool-down
 * @param steps N, of the whole run
 */
public record Schedule(
        Kind kind, double peak, double last, long warmupSteps, long cooldownSteps, Cooldown cooldown, long steps) {

    /** The way from the end of the warm-up to the end of the run. */
    public enum Kind {
        COSINE,
        CONSTANT,
        LINEAR
    }

    /** How a constant rate cools down. */
    public enum Cooldown {
        LINEAR,
        SQRT
    }

    public Schedule {
        require(steps >= 1, "train.steps must be at least 1 but is " + steps);
        require(Double.isFinite(peak) && peak > 0, "train.learningRate must be above 0 but is " + peak);
        require(
                last >= 0 && last <= peak,
                "train.finalLearningRate must be between 0 and train.learningRate (" + peak + ") but is " + last);
        require(
                warmupSteps >= 0 && warmupSteps <= steps,
                "train.warmupSteps must be between 0 and train.steps (" + steps + ") but is " + warmupSteps);
        require(
                cooldownSteps >= 0 && cooldownSteps <= steps - warmupSteps,
                "train.cooldownSteps must be between 0 and train.steps less train.warmupSteps (" + (steps - warmupSteps)
                        + ") but is " + cooldownSteps);
        require(
                cooldownSteps == 0 || kind == Kind.CONSTANT,
                "train.cooldownSteps is " + cooldownSteps + ", but only train.schedule=constant cools down; a "
                        + kind.name().toLowerCase(Locale.ROOT) + " schedule falls by itself");
    }

    /** Warm-up and a cosine to 0, as the paper has it. */
    public static Schedule cosine(double peak, long warmupSteps, long steps) {
        return new Schedule(Kind.COSINE, peak, 0, warmupSteps, 0, Cooldown.LINEAR, steps);
    }

    /** Learning rate of the update that follows {@code step} updates; the first, at step 0, is not 0 but peak / warmupSteps. */
    public double at(long step) {
        if (step < warmupSteps) {
            return peak * (step + 1) / warmupSteps;
        }
        if (step >= steps) {
            return kind == Kind.CONSTANT && cooldownSteps == 0 ? peak : last;
        }
        return switch (kind) {
            case COSINE -> last + (peak - last) * 0.5 * (1 + Math.cos(Math.PI * share(step, warmupSteps)));
            case LINEAR -> last + (peak - last) * (1 - share(step, warmupSteps));
            case CONSTANT ->
                step < steps - cooldownSteps
                        ? peak
                        : last + (peak - last) * (1 - cooled(share(step, steps - cooldownSteps)));
        };
    }

    private double cooled(double share) {
        return cooldown == Cooldown.SQRT ? Math.sqrt(share) : share;
    }

    /** How much of the part that begins at {@code first} and lasts to the end is over, in [0, 1). */
    private double share(long step, long first) {
        return (double) (step - first) / (steps - first);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
