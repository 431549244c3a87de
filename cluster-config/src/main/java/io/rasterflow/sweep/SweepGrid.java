package io.rasterflow.sweep;

import io.rasterflow.config.ConfigException;
import io.rasterflow.sweep.SweepConfig.Entry;
import java.util.ArrayList;
import java.util.List;

/** Runs that combine choices, such as every size of the model with every size of the data. */
final class SweepGrid {

    private SweepGrid() {}

    /**
     * One run for each way to take one choice of each axis, the last axis fastest; its name joins theirs.
     *
     * @throws ConfigException with one line, if two choices bring a codebook, or an axis has none
     */
    static List<Entry> runs(List<List<Entry>> axes) {
        List<Entry> runs = List.of();
        for (List<Entry> axis : axes) {
            if (axis.isEmpty()) {
                throw new ConfigException("an object of grid is empty; give it at least one NAME = [overrides]");
            }
            runs = runs.isEmpty()
                    ? axis
                    : runs.stream()
                            .flatMap(begun -> axis.stream().map(choice -> joined(begun, choice)))
                            .toList();
        }
        return runs;
    }

    private static Entry joined(Entry begun, Entry choice) {
        String name = begun.name() + "-" + choice.name();
        if (begun.codebook() > 0 && choice.codebook() > 0) {
            throw new ConfigException("the run " + name + " of grid has two codebooks; give one of its choices one");
        }
        List<String> overrides = new ArrayList<>(begun.overrides());
        overrides.addAll(choice.overrides());
        return new Entry(name, overrides, begun.codebook() + choice.codebook());
    }
}
