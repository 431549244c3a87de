package io.rasterflow.monitoring.science;

import io.rasterflow.monitoring.science.ScalingLaw.Term;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.hipparchus.analysis.MultivariateFunction;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.ArrayRealVector;
import org.hipparchus.linear.DecompositionSolver;
import org.hipparchus.linear.QRDecomposition;
import org.hipparchus.linear.RealVector;
import org.hipparchus.optim.InitialGuess;
import org.hipparchus.optim.MaxEval;
import org.hipparchus.optim.PointValuePair;
import org.hipparchus.optim.SimpleValueChecker;
import org.hipparchus.optim.nonlinear.scalar.GoalType;
import org.hipparchus.optim.nonlinear.scalar.MultivariateFunctionMappingAdapter;
import org.hipparchus.optim.nonlinear.scalar.ObjectiveFunction;
import org.hipparchus.optim.nonlinear.scalar.noderiv.NelderMeadSimplex;
import org.hipparchus.optim.nonlinear.scalar.noderiv.SimplexOptimizer;
import org.hipparchus.optim.univariate.BrentOptimizer;
import org.hipparchus.optim.univariate.SearchInterval;
import org.hipparchus.optim.univariate.UnivariateObjectiveFunction;

/**
 * Finds the law of least squared relative errors. For given exponents the rest of a law, L∞ and x0^α, is linear, so only the
 * exponents are searched for: all of a coarse grid, then from its best place downhill. Neither start values nor local minima
 * can lead astray. L∞ and x0^α are kept from being negative.
 *
 * <p>n runs, K quantities.
 */
final class ScalingFitter {

    /** Exponents outside are not told from these: the loss is as good as flat, or falls like a cliff. */
    static final double LEAST_EXPONENT = 0.01;

    static final double LARGEST_EXPONENT = 5;

    private static final double LOW = Math.log(LEAST_EXPONENT);
    private static final double HIGH = Math.log(LARGEST_EXPONENT);

    /** Places of the grid for each exponent: of one, and of several. */
    private static final int FINE = 40;

    private static final int COARSE = 12;

    private static final double TOLERANCE = 1e-9;
    private static final int EVALUATIONS = 2_000;

    private final double[][] logs;
    private final double[] centres;

    /** @param sizes n rows of K sizes, all above 0 */
    ScalingFitter(double[][] sizes) {
        int quantities = sizes[0].length;
        centres = new double[quantities];
        logs = new double[sizes.length][quantities];
        for (int k = 0; k < quantities; k++) {
            for (int i = 0; i < sizes.length; i++) {
                logs[i][k] = Math.log(sizes[i][k]);
                centres[k] += logs[i][k] / sizes.length;
            }
            for (double[] row : logs) {
                row[k] -= centres[k];
            }
        }
    }

    /** @param losses n of them, all above 0 */
    ScalingLaw fit(double[] losses) {
        double[] best = grid(losses);
        double[] refined = best.length == 1 ? brent(losses, best[0]) : simplex(losses, best);
        return law(refined, coefficients(losses, refined).values());
    }

    private double[] grid(double[] losses) {
        int quantities = centres.length;
        int places = quantities == 1 ? FINE : COARSE;
        double step = (HIGH - LOW) / (places - 1);
        double[] best = new double[quantities];
        double least = Double.POSITIVE_INFINITY;
        int cells = (int) Math.round(Math.pow(places, quantities));
        for (int cell = 0; cell < cells; cell++) {
            double[] at = new double[quantities];
            int rest = cell;
            for (int k = 0; k < quantities; k++) {
                at[k] = LOW + step * (rest % places);
                rest /= places;
            }
            double squares = coefficients(losses, at).squares();
            if (squares < least) {
                least = squares;
                best = at;
            }
        }
        return best;
    }

    private double[] brent(double[] losses, double start) {
        double step = (HIGH - LOW) / (FINE - 1);
        double found = new BrentOptimizer(TOLERANCE, TOLERANCE)
                .optimize(
                        new UnivariateObjectiveFunction(
                                e -> coefficients(losses, new double[] {e}).squares()),
                        GoalType.MINIMIZE,
                        new SearchInterval(Math.max(LOW, start - step), Math.min(HIGH, start + step)),
                        new MaxEval(EVALUATIONS))
                .getPoint();
        return new double[] {found};
    }

    private double[] simplex(double[] losses, double[] start) {
        double[] low = new double[start.length];
        double[] high = new double[start.length];
        Arrays.fill(low, LOW - TOLERANCE);
        Arrays.fill(high, HIGH + TOLERANCE);
        MultivariateFunction squares = e -> coefficients(losses, e).squares();
        var bounded = new MultivariateFunctionMappingAdapter(squares, low, high);
        PointValuePair found = new SimplexOptimizer(new SimpleValueChecker(TOLERANCE, Double.MIN_NORMAL))
                .optimize(
                        new MaxEval(EVALUATIONS),
                        new ObjectiveFunction(bounded),
                        GoalType.MINIMIZE,
                        new InitialGuess(bounded.boundedToUnbounded(start)),
                        new NelderMeadSimplex(start.length, 0.5));
        return bounded.unboundedToBounded(found.getPoint());
    }

    private ScalingLaw law(double[] logExponents, double[] coefficients) {
        List<Term> terms = new ArrayList<>();
        for (int k = 0; k < logExponents.length; k++) {
            double exponent = Math.exp(logExponents[k]);
            double coefficient = coefficients[k + 1];
            terms.add(
                    coefficient > 0
                            ? new Term(centres[k] + Math.log(coefficient) / exponent, exponent)
                            : new Term(Double.NEGATIVE_INFINITY, 0));
        }
        return new ScalingLaw(coefficients[0], terms);
    }

    // ---- The linear part

    /**
     * @param values L∞, then x0^α of each quantity in units of its centre
     * @param squares sum of the squared relative errors
     */
    private record Coefficients(double[] values, double squares) {}

    /** Least squares over coefficients that are not negative: the best of those subsets whose own solution is not. */
    private Coefficients coefficients(double[] losses, double[] logExponents) {
        int n = losses.length;
        int all = logExponents.length + 1;
        double[][] columns = new double[all][n];
        for (int i = 0; i < n; i++) {
            columns[0][i] = 1 / losses[i];
            for (int k = 1; k < all; k++) {
                columns[k][i] = Math.exp(-Math.exp(logExponents[k - 1]) * logs[i][k - 1]) / losses[i];
            }
        }
        int everyColumn = (1 << all) - 1;
        Coefficients best = solve(columns, everyColumn);
        if (best.squares() < Double.POSITIVE_INFINITY) {
            return best; // No constraint is in force.
        }
        for (int subset = 1; subset < everyColumn; subset++) {
            Coefficients found = solve(columns, subset);
            if (found.squares() < best.squares()) {
                best = found;
            }
        }
        return best;
    }

    private static Coefficients solve(double[][] columns, int subset) {
        int[] used = IntStream.range(0, columns.length)
                .filter(c -> (subset >> c & 1) == 1)
                .toArray();
        int n = columns[0].length;
        double[] values = new double[columns.length];
        if (used.length > n) {
            return new Coefficients(values, Double.POSITIVE_INFINITY);
        }
        Array2DRowRealMatrix matrix = new Array2DRowRealMatrix(n, used.length);
        for (int c = 0; c < used.length; c++) {
            matrix.setColumn(c, columns[used[c]]);
        }
        double[] ones = new double[n];
        Arrays.fill(ones, 1);
        RealVector target = new ArrayRealVector(ones, false);
        DecompositionSolver solver = new QRDecomposition(matrix, Double.MIN_NORMAL).getSolver();
        if (!solver.isNonSingular()) {
            return new Coefficients(values, Double.POSITIVE_INFINITY);
        }
        RealVector solution = solver.solve(target);
        for (int c = 0; c < used.length; c++) {
            values[used[c]] = solution.getEntry(c);
            if (!(values[used[c]] >= 0)) {
                return new Coefficients(values, Double.POSITIVE_INFINITY);
            }
        }
        double error = matrix.operate(solution).subtract(target).getNorm();
        return new Coefficients(values, error * error);
    }
}
