package io.rasterflow.monitoring.science;

import java.util.ArrayList;
import java.util.List;

/**
 * A place on the curve of a law in one quantity.
 *
 * @param size of the run
 * @param loss by the law
 * @param low end of the interval in which a run of this size lies in 95 of 100 cases; NaN where there is none
 * @param high other end of it
 */
public record LawPlace(double size, double loss, double low, double high) {

    private static final int PLACES = 80;

    /** From the smallest of the runs to the next size, evenly in the logarithm; empty without a fit in one quantity. */
    public static List<LawPlace> curve(ScalingSeries series) {
        if (series.fit().isEmpty() || series.quantities().size() != 1) {
            return List.of();
        }
        ScalingFit fit = series.fit().get();
        double from = Math.log(series.quantities().get(0).of(series.runs().get(0)));
        double to = Math.log(series.nextSizes().get(0));
        List<LawPlace> curve = new ArrayList<>();
        for (int i = 0; i < PLACES; i++) {
            double size = Math.exp(from + (to - from) * i / (PLACES - 1));
            Interval interval = fit.predict(size).interval();
            curve.add(new LawPlace(size, fit.law().at(size), interval.low(), interval.high()));
        }
        return List.copyOf(curve);
    }
}
