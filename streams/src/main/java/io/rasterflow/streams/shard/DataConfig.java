package io.rasterflow.streams.shard;

import io.rasterflow.streams.curate.CurationConfig;
import io.rasterflow.streams.format.LabelRule;
import io.rasterflow.streams.storage.StorageConfig;
import java.nio.file.Path;

/**
 * How shards are brought in and what of them is taken.
 *
 * @param cache where they are kept on this machine
 * @param storage how they are fetched from elsewhere
 * @param curate which samples are left out
 * @param labelField where labels are looked for, see {@link LabelRule}
 * @param damaged what becomes of a shard that is cut or damaged
 */
public record DataConfig(
        CacheConfig cache, StorageConfig storage, CurationConfig curate, String labelField, Damaged damaged) {

    /** The defaults, with a cache in the given folder: whole shards and all of their samples. */
    public static DataConfig in(Path cacheDirectory) {
        return in(CacheConfig.in(cacheDirectory));
    }

    /** The defaults with the given cache. */
    public static DataConfig in(CacheConfig cache) {
        return new DataConfig(cache, StorageConfig.defaults(), CurationConfig.NONE, LabelRule.DEFAULT, Damaged.REFUSE);
    }
}
