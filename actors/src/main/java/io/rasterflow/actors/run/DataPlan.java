package io.rasterflow.actors.run;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.batch.StreamConfig;
import java.util.List;

/**
 * What a run reads.
 *
 * @param train shard patterns of the training images
 * @param validation shard patterns of the labelled validation images
 * @param cacheDirectory where indexes and expanded shards are kept
 * @param augment how a decoded image becomes an input
 * @param stream bounds and error budget of the pipeline
 */
public record DataPlan(
        List<String> train,
        List<String> validation,
        String cacheDirectory,
        AugmentConfig augment,
        StreamConfig stream) {
    public DataPlan {
        train = List.copyOf(train);
        validation = List.copyOf(validation);
        if (train.isEmpty()) {
            throw new IllegalArgumentException("data.train names no shards; give at least one path or pattern");
        }
        if (validation.isEmpty()) {
            throw new IllegalArgumentException("data.validation names no shards; give at least one path or pattern");
        }
    }
}
