package io.rasterflow.model.parity;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How far the model is from a reference case.
 *
 * @param groups largest relative error (max |a - b| / max |b| over a tensor) of each group, in the order of computation;
 *     infinite where a value is not finite
 */
public record ParityReport(Map<String, Double> groups) {
    public ParityReport {
        groups = Collections.unmodifiableMap(new LinkedHashMap<>(groups));
    }

    /** The largest error of all groups. */
    public double overall() {
        return groups.values().stream().mapToDouble(Double::doubleValue).max().orElse(Double.POSITIVE_INFINITY);
    }

    /** Whether every group is within the tolerance. */
    public boolean passed(double tolerance) {
        return overall() <= tolerance;
    }
}
