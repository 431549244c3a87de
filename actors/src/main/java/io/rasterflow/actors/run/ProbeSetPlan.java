package io.rasterflow.actors.run;

import io.rasterflow.monitoring.science.ProbePoint;
import java.util.List;

/**
 * One of several labelled sets that checkpoints are probed on, an element of {@code probe.sets}.
 *
 * @param name that its accuracy is told under
 * @param train shards that the probe learns from
 * @param validation shards that its accuracy is taken on
 * @param classes number of labels
 */
public record ProbeSetPlan(String name, List<String> train, List<String> validation, int classes) {
    public ProbeSetPlan {
        train = List.copyOf(train);
        validation = List.copyOf(validation);
        if (name.isBlank() || name.equals(ProbePoint.AVERAGE)) {
            throw new IllegalArgumentException("a set of probe.sets must have a name of its own but is called '" + name
                    + "'; '" + ProbePoint.AVERAGE + "' is the mean over all of them");
        }
        if (train.isEmpty() || validation.isEmpty()) {
            throw new IllegalArgumentException("the set " + name
                    + " of probe.sets names no shards; give its train and its validation at least one path or pattern");
        }
        if (classes < 2) {
            throw new IllegalArgumentException(
                    "classes of the set " + name + " of probe.sets must be at least 2 but is " + classes);
        }
    }
}
