package io.rasterflow.streams.shard;

import java.util.List;

/**
 * One of the sources that a data set mixes, {@code data.sources.NAME} of the configuration.
 *
 * @param shards paths, URIs, patterns, folders, manifests or lists; see {@link ShardList}
 * @param weight its part of the positions, relative to the weights of the other sources
 */
public record SourceConfig(List<String> shards, double weight) {

    /** Name of the source of data that is not mixed. */
    public static final String ONLY = "data";

    public SourceConfig {
        shards = List.copyOf(shards);
    }
}
