package io.rasterflow.streams.format;

/**
 * Where a shard stops being what its format promises, when the samples before that place are still wanted.
 *
 * @param offset first byte of the uncompressed shard that is missing or cannot be trusted: where a cut file ends, where the
 *     gzip member or zstd frame with a wrong byte begins
 * @param fault what is wrong there
 * @param advice what to try
 */
public record Damage(long offset, String fault, String advice) {

    /** What to try with most damage. */
    static final String FETCH_AGAIN = "the shard is incomplete or damaged, fetch or pack it again";

    Damage(long offset, String fault) {
        this(offset, fault, FETCH_AGAIN);
    }

    /** The damage that stopped a reader. */
    static Damage of(ShardFormatException e) {
        return new Damage(e.offset(), e.fault(), e.advice());
    }

    /** For those who want whole shards only. */
    public ShardFormatException exception(String shard) {
        return new ShardFormatException(shard, offset, fault, advice);
    }
}
