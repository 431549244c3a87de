package io.rasterflow.actors.run;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.batch.StreamConfig;
import io.rasterflow.streams.curate.CurationConfig;
import io.rasterflow.streams.feed.FeedSamples;
import io.rasterflow.streams.feed.FeedSourceConfig;
import io.rasterflow.streams.shard.CacheConfig;
import io.rasterflow.streams.shard.Damaged;
import io.rasterflow.streams.shard.DataConfig;
import io.rasterflow.streams.shard.DataSet;
import io.rasterflow.streams.shard.Samples;
import io.rasterflow.streams.shard.SourceConfig;
import io.rasterflow.streams.storage.StorageConfig;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run reads.
 *
 * @param train shards of the training images; not used where there are {@code sources}
 * @param sources named sources of training images that are mixed, by name; empty to read {@code train} alone
 * @param feed live feed to train on instead; probes then still take {@code train}
 * @param validation shards of the labelled validation images
 * @param cache where shards are kept on this machine
 * @param storage how they are fetched from elsewhere
 * @param curate which training images are left out
 * @param labelField where labels are looked for
 * @param damaged what becomes of shards that are cut or damaged
 * @param augment how a decoded image becomes an input
 * @param stream bounds and error budget of the pipeline
 */
public record DataPlan(
        List<String> train,
        Map<String, SourceConfig> sources,
        FeedSourceConfig feed,
        List<String> validation,
        CacheConfig cache,
        StorageConfig storage,
        CurationConfig curate,
        String labelField,
        Damaged damaged,
        AugmentConfig augment,
        StreamConfig stream) {
    public DataPlan {
        train = List.copyOf(train);
        sources = Collections.unmodifiableMap(new TreeMap<>(sources));
        validation = List.copyOf(validation);
        if (train.isEmpty() && sources.isEmpty()) {
            throw new IllegalArgumentException("data.train names no shards; give at least one path or pattern");
        }
        if (validation.isEmpty()) {
            throw new IllegalArgumentException("data.validation names no shards; give at least one path or pattern");
        }
    }

    /**
     * What training reads.
     *
     * @param run name of the run
     */
    public Samples openSamples(String run) throws IOException {
        return feed.used() ? FeedSamples.open(feed, run) : openTrain();
    }

    /** The training images of shards, curated. */
    public DataSet openTrain() throws IOException {
        DataConfig config = new DataConfig(cache, storage, curate, labelField, damaged);
        return sources.isEmpty() ? DataSet.open(train, config) : DataSet.open(sources, config);
    }

    /** The validation images. */
    public DataSet openValidation() throws IOException {
        return open(validation);
    }

    /** Any shards, with all of their images. */
    public DataSet open(List<String> shards) throws IOException {
        return DataSet.open(shards, new DataConfig(cache, storage, CurationConfig.NONE, labelField, damaged));
    }

    /** As the settings are, but for whole shards and all that is in them. */
    public DataConfig whole() {
        return new DataConfig(cache, storage, CurationConfig.NONE, labelField, Damaged.REFUSE);
    }
}
