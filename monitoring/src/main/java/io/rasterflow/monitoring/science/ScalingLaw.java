package io.rasterflow.monitoring.science;

import java.util.List;

/**
 * L = L∞ + Σ (x0 / x)^α: the loss at sizes x, one of each term.
 *
 * @param floor L∞, the loss that no size goes below; not negative
 * @param terms one for each quantity that the loss falls with
 */
public record ScalingLaw(double floor, List<Term> terms) {

    /**
     * (x0 / x)^α.
     *
     * @param logScale ln x0; x0 itself leaves the range of a double where α is small
     * @param exponent α; 0 where the loss does not fall with x, and then the term is 0
     */
    public record Term(double logScale, double exponent) {

        /** x0: the size at which the term is 1. */
        public double scale() {
            return Math.exp(logScale);
        }

        double at(double x) {
            return exponent == 0 ? 0 : Math.exp(exponent * (logScale - Math.log(x)));
        }
    }

    public ScalingLaw {
        terms = List.copyOf(terms);
    }

    /** @param sizes one for each term */
    public double at(double... sizes) {
        double loss = floor;
        for (int k = 0; k < terms.size(); k++) {
            loss += terms.get(k).at(sizes[k]);
        }
        return loss;
    }
}
