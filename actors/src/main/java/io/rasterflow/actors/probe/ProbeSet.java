package io.rasterflow.actors.probe;

import io.rasterflow.actors.run.DataPlan;
import io.rasterflow.actors.run.ProbeSetPlan;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;

/**
 * A labelled set as the probe reads it.
 *
 * @param name see {@link ProbeSetPlan}; empty for the images of the run itself
 * @param train labelled images that the probe learns from
 * @param validation labelled images that its accuracy is taken on
 * @param classes number of labels
 */
public record ProbeSet(String name, DataSet train, DataSet validation, int classes) implements AutoCloseable {

    /**
     * Opens its shards.
     *
     * @throws IOException with one line that names the set, if they cannot be read
     */
    public static ProbeSet open(ProbeSetPlan set, DataPlan data) throws IOException {
        DataSet train = null;
        try {
            train = data.open(set.train());
            return new ProbeSet(set.name(), train, data.open(set.validation()), set.classes());
        } catch (IOException | RuntimeException e) {
            if (train != null) {
                train.close();
            }
            throw new IOException("the set " + set.name() + " of probe.sets: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        try (train) {
            validation.close();
        }
    }
}
