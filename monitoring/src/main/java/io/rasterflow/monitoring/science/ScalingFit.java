package io.rasterflow.monitoring.science;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import org.hipparchus.distribution.continuous.ChiSquaredDistribution;
import org.hipparchus.distribution.continuous.NormalDistribution;

/**
 * A scaling law fitted to runs, with 95 % intervals by a parametric bootstrap: runs are drawn anew around the law with
 * relative noise as large as that of the residuals, and the law is fitted again. How large the noise really is, few runs
 * do not tell: each draw takes another size for it, from the χ² distribution that the degrees of freedom leave, which gives
 * intervals as wide as Student's. Drawn from a fixed seed, so the same runs have the same intervals.
 */
public final class ScalingFit {

    private static final int DRAWS = 1_000;
    private static final long SEED = 20240116;

    private final ScalingLaw law;
    private final int points;
    private final int freedom;
    private final double deviation;
    private final double explained;
    /** One law and one relative error of a further run for each draw; empty where no degree of freedom is left. */
    private final List<ScalingLaw> laws = new ArrayList<>();

    private final List<Double> errors = new ArrayList<>();

    private ScalingFit(ScalingLaw law, double[][] sizes, double[] losses) {
        this.law = law;
        this.points = losses.length;
        this.freedom = losses.length - 1 - 2 * sizes[0].length;
        double squares = 0;
        double around = 0;
        double mean = Arrays.stream(losses).map(Math::log).average().orElseThrow();
        for (int i = 0; i < losses.length; i++) {
            squares += Math.pow(Math.log(losses[i] / law.at(sizes[i])), 2);
            around += Math.pow(Math.log(losses[i]) - mean, 2);
        }
        this.explained = 1 - squares / around;
        this.deviation = freedom > 0 ? Math.sqrt(squares / freedom) : Double.NaN;
    }

    /**
     * @param sizes a row for each run, with a size for each quantity, all above 0
     * @param losses of the runs, above 0
     * @throws IllegalArgumentException with one line, if a quantity has fewer than 3 different sizes, or there are fewer runs
     *     than the law has parameters
     */
    public static ScalingFit of(double[][] sizes, double[] losses) {
        require(sizes.length == losses.length, sizes.length + " sizes but " + losses.length + " losses");
        int quantities = sizes.length == 0 ? 1 : sizes[0].length;
        int needed = 1 + 2 * quantities;
        require(losses.length >= needed, "needs " + needed + " runs, has " + losses.length);
        for (int k = 0; k < quantities; k++) {
            int quantity = k;
            long different = Arrays.stream(sizes)
                    .mapToDouble(row -> row[quantity])
                    .distinct()
                    .count();
            require(different >= 3, "needs 3 different sizes, has " + different);
            require(
                    Arrays.stream(sizes).allMatch(row -> row[quantity] > 0 && Double.isFinite(row[quantity])),
                    "every size must be above 0");
        }
        require(Arrays.stream(losses).allMatch(loss -> loss > 0 && Double.isFinite(loss)), "losses must be above 0");
        ScalingFitter fitter = new ScalingFitter(sizes);
        ScalingFit fit = new ScalingFit(fitter.fit(losses), sizes, losses);
        if (fit.freedom > 0) {
            fit.draw(fitter, sizes);
        }
        return fit;
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    private void draw(ScalingFitter fitter, double[][] sizes) {
        SplittableRandom random = new SplittableRandom(SEED);
        NormalDistribution normal = new NormalDistribution();
        ChiSquaredDistribution spread = new ChiSquaredDistribution(freedom);
        double[] losses = new double[points];
        for (int draw = 0; draw < DRAWS; draw++) {
            double noise =
                    deviation * Math.sqrt(freedom / spread.inverseCumulativeProbability(random.nextDouble(1e-6, 1)));
            for (int i = 0; i < points; i++) {
                losses[i] = law.at(sizes[i]) * Math.exp(noise * gaussian(normal, random));
            }
            laws.add(fitter.fit(losses));
            errors.add(Math.exp(noise * gaussian(normal, random)));
        }
    }

    private static double gaussian(NormalDistribution normal, SplittableRandom random) {
        return normal.inverseCumulativeProbability(random.nextDouble(1e-12, 1));
    }

    /** The law of least squared relative errors. */
    public ScalingLaw law() {
        return law;
    }

    /** Runs that it was fitted to. */
    public int points() {
        return points;
    }

    /** Runs beyond what the law's parameters need; without any there are no intervals. */
    public int freedom() {
        return freedom;
    }

    /** Relative standard deviation of the runs around the law, such as 0.01; NaN without a degree of freedom. */
    public double deviation() {
        return deviation;
    }

    /** R²: share of the variance of the logarithm of the loss. */
    public double explained() {
        return explained;
    }

    /** Whether the loss falls with every quantity, at rates that the runs tell from a flat line and a cliff. */
    public boolean determined() {
        return law.terms().stream()
                .allMatch(term -> term.exponent() > ScalingFitter.LEAST_EXPONENT * 1.01
                        && term.exponent() < ScalingFitter.LARGEST_EXPONENT / 1.01);
    }

    /** Of L∞. */
    public Interval floor() {
        return interval(ScalingLaw::floor);
    }

    /** Of α. */
    public Interval exponent(int quantity) {
        return interval(drawn -> drawn.terms().get(quantity).exponent());
    }

    /** Of x0. */
    public Interval scale(int quantity) {
        return interval(drawn -> drawn.terms().get(quantity).scale());
    }

    /** Of the law itself at some sizes, without the noise of a single run. */
    public Interval curve(double... sizes) {
        return interval(drawn -> drawn.at(sizes));
    }

    /** Of one more run. */
    public Prediction predict(double... sizes) {
        double[] drawn = new double[laws.size()];
        for (int i = 0; i < drawn.length; i++) {
            drawn[i] = laws.get(i).at(sizes) * errors.get(i);
        }
        Arrays.sort(drawn);
        return new Prediction(law.at(sizes), Interval.ofSorted(drawn));
    }

    private Interval interval(ToDoubleFunction<ScalingLaw> value) {
        return Interval.ofSorted(laws.stream().mapToDouble(value).sorted().toArray());
    }
}
