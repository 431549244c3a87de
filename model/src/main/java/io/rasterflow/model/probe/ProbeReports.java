package io.rasterflow.model.probe;

import java.util.Comparator;
import java.util.List;

/**
 * One report for each set of blocks, in the order asked for.
 *
 * @param layers at least one
 */
public record ProbeReports(List<ProbeReport> layers) {
    public ProbeReports {
        layers = List.copyOf(layers);
        if (layers.isEmpty()) {
            throw new IllegalArgumentException("there must be at least one report");
        }
    }

    /** The only report, or that of the blocks with the best accuracy on held-out training images. */
    public ProbeReport chosen() {
        // max keeps the last of equals; of equal layers the first is wanted.
        return layers.stream()
                .reduce((best, next) ->
                        Comparator.comparingDouble(ProbeReport::heldOutAccuracy).compare(next, best) > 0 ? next : best)
                .orElseThrow();
    }
}
