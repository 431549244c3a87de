package io.rasterflow.monitoring.science;

import io.rasterflow.monitoring.event.Event.RunStarted.Rates;

/**
 * The loss of a run under a known schedule of its learning rate η (Tissue et al. 2024, arXiv 2408.11029):
 *
 * <pre>
 *   L(s) = L∞ + A · S1(s)^-α - C · S2(s)        A, C ≥ 0
 *
 *   S1   sum of η up to step s: how far the weights could go, counted from the first step of the fit
 *   S2   η at its peak minus an exponential mean of η over the last 2 % of the run: how much it has been annealed. That is
 *        the paper's sum of decayed falls, but for a factor
 * </pre>
 *
 * <p>Below a peak that comes later η is not annealed. For a given α the rest is linear.
 */
final class AnnealingLaw {

    private static final int CELLS = 2_048;
    /** How far η is averaged, as a share of the run. */
    private static final double LAG = 0.02;
    /** Two regressors are taken for one when their correlation squared is this near to 1. */
    private static final double SAME = 1e-9;

    private static final double[] ALPHAS = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 2};

    private final double cell;
    private final double[] sum = new double[CELLS + 1];
    private final double[] fall = new double[CELLS + 1];
    private final double peakStep;

    /** @param steps of the whole run */
    AnnealingLaw(Rates rates, long steps) {
        cell = (double) steps / CELLS;
        double[] rate = new double[CELLS + 1];
        int peak = 0;
        for (int i = 0; i <= CELLS; i++) {
            rate[i] = rates.at(i * cell);
            peak = rate[i] > rate[peak] ? i : peak;
        }
        peakStep = peak * cell;
        double keep = Math.exp(-1 / (LAG * CELLS));
        double lagged = rate[peak];
        for (int i = 1; i <= CELLS; i++) {
            double mean = (rate[i - 1] + rate[i]) / 2 / rate[peak];
            sum[i] = sum[i - 1] + cell * mean;
            if (i > peak) {
                lagged = keep * lagged + (1 - keep) * mean * rate[peak];
                fall[i] = 1 - lagged / rate[peak];
            }
        }
    }

    /** Where the learning rate is highest, for the first time. */
    double peakStep() {
        return peakStep;
    }

    /** S2 at a step, in peaks of the learning rate: 0 to 1. */
    double fall(double step) {
        return at(fall, step);
    }

    /** S2 at the end of the run. */
    double wholeFall() {
        return fall[CELLS];
    }

    private double at(double[] values, double step) {
        double place = Math.max(0, Math.min(CELLS, step / cell));
        int below = Math.min(CELLS - 1, (int) place);
        return values[below] + (place - below) * (values[below + 1] - values[below]);
    }

    /** Prepares fits to losses at some steps. */
    Fitter at(double[] steps) {
        return new Fitter(steps);
    }

    /** One fitted law. */
    final class Fit {
        private final double origin;
        private final double alpha;
        private final double base;
        private final double power;
        private final double annealing;

        private Fit(double origin, double alpha, double base, double power, double annealing) {
            this.origin = origin;
            this.alpha = alpha;
            this.base = base;
            this.power = power;
            this.annealing = annealing;
        }

        /** L(s). */
        double at(double step) {
            return base + power * power(step, origin, alpha) - annealing * fall(step);
        }
    }

    /** S1^-α, 1 at the first step. */
    private double power(double step, double origin, double alpha) {
        return Math.pow((1 + at(sum, step)) / (1 + origin), -alpha);
    }

    /** Least squares with A, C ≥ 0 at fixed steps: of the values of α the best. */
    final class Fitter {
        private final double origin;
        private final int n;
        /** By α: the first regressor less its mean; the second, -S2 less its mean. */
        private final double[][] powers = new double[ALPHAS.length][];

        private final double[] powerMeans = new double[ALPHAS.length];
        private final double[] falls;
        private final double fallMean;

        private Fitter(double[] steps) {
            n = steps.length;
            origin = AnnealingLaw.this.at(sum, steps[0]);
            falls = new double[n];
            for (int i = 0; i < n; i++) {
                falls[i] = -fall(steps[i]);
            }
            fallMean = centre(falls);
            for (int a = 0; a < ALPHAS.length; a++) {
                powers[a] = new double[n];
                for (int i = 0; i < n; i++) {
                    powers[a][i] = power(steps[i], origin, ALPHAS[a]);
                }
                powerMeans[a] = centre(powers[a]);
            }
        }

        Fit fit(double[] losses) {
            double[] y = losses.clone();
            double mean = centre(y);
            double gg = dot(falls, falls);
            double gy = dot(falls, y);
            double best = Double.NEGATIVE_INFINITY;
            Fit fit = null;
            for (int a = 0; a < ALPHAS.length; a++) {
                double ff = dot(powers[a], powers[a]);
                double fg = dot(powers[a], falls);
                double fy = dot(powers[a], y);
                double determinant = ff * gg - fg * fg;
                double power = 0;
                double annealing = 0;
                if (determinant > SAME * ff * gg) {
                    power = (fy * gg - gy * fg) / determinant;
                    annealing = (gy * ff - fy * fg) / determinant;
                }
                if (power <= 0 || annealing <= 0) {
                    power = ff > 0 ? Math.max(0, fy / ff) : 0;
                    annealing = gg > 0 ? Math.max(0, gy / gg) : 0;
                    if (power * fy >= annealing * gy) {
                        annealing = 0;
                    } else {
                        power = 0;
                    }
                }
                double explained = power * fy + annealing * gy;
                if (explained > best) {
                    best = explained;
                    double base = mean - power * powerMeans[a] - annealing * fallMean;
                    fit = new Fit(origin, ALPHAS[a], base, power, annealing);
                }
            }
            return fit;
        }

        private double centre(double[] values) {
            double mean = 0;
            for (double value : values) {
                mean += value / n;
            }
            for (int i = 0; i < n; i++) {
                values[i] -= mean;
            }
            return mean;
        }

        private double dot(double[] a, double[] b) {
            double sum = 0;
            for (int i = 0; i < n; i++) {
                sum += a[i] * b[i];
            }
            return sum;
        }
    }
}
