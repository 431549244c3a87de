package io.rasterflow.streams.curate;

/**
 * An image that was left out because it looks like another of its shard.
 *
 * @param leftOut its key
 * @param kept key of the other
 * @param bits of 64 in which their hashes differ, see {@link PerceptualHash}
 */
public record NearDuplicate(String leftOut, String kept, int bits) {

    /** Under which they are counted. */
    public static final String CAUSE = "duplicate";
}
