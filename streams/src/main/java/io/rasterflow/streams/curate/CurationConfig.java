package io.rasterflow.streams.curate;

import java.util.List;

/**
 * Which samples are used, from {@code data.curate}. The rest is left out when a shard is indexed, so that every sample of
 * the index is used exactly once an epoch, whatever the world size.
 *
 * @param minSide pixels that the shorter side must have; 0 for any. This and {@code maxAspect} read every image once
 * @param maxAspect longer side divided by shorter, at most; 0 for any
 * @param minBytes of the encoded image; 0 for any
 * @param minCaptionWords in the {@code .txt} file or the field caption; 0 for any
 * @param fields conditions on numbers told about a sample, such as {@code "aesthetic_score >= 5"}; see {@link FieldRule}
 * @param filters names of filters of your own, see {@link SampleFilter}
 */
public record CurationConfig(
        int minSide,
        double maxAspect,
        long minBytes,
        int minCaptionWords,
        List<String> fields,
        List<String> filters,
        NearDuplicates nearDuplicates) {

    /** Every sample is used. */
    public static final CurationConfig NONE =
            new CurationConfig(0, 0, 0, 0, List.of(), List.of(), new NearDuplicates(0, 0));

    public CurationConfig {
        fields = List.copyOf(fields);
        filters = List.copyOf(filters);
        require(minSide >= 0, "data.curate.minSide must be 0 (any) or a number of pixels but is " + minSide);
        require(
                maxAspect == 0 || (maxAspect >= 1 && maxAspect < Double.POSITIVE_INFINITY),
                "data.curate.maxAspect must be 0 (any) or at least 1, the longer side divided by the shorter, but is "
                        + maxAspect);
        require(minBytes >= 0, "data.curate.minBytes must be 0 (any) or a number of bytes but is " + minBytes);
        require(
                minCaptionWords >= 0,
                "data.curate.minCaptionWords must be 0 (any) or a number of words but is " + minCaptionWords);
        fields.forEach(FieldRule::parse);
        require(
                filters.stream().distinct().count() == filters.size(),
                "data.curate.filters names a filter twice: " + filters);
    }

    /**
     * Leaves out an image that looks like one before it in the same shard; the first stays. Decodes every image once, so
     * that it is off by default.
     *
     * @param window kept images that each image is compared with, the last ones of its shard; 0 for off
     * @param distance bits of 64 in which the hashes of two images may differ for them to count as one, see
     *     {@link PerceptualHash}; 8 finds most copies that were encoded again, scaled, brightened or cropped by 2 %, and no
     *     two of 320 different photographs
     */
    public record NearDuplicates(int window, int distance) {
        public NearDuplicates {
            require(
                    window >= 0 && window <= 1_000_000,
                    "data.curate.nearDuplicates.window must be 0 (off) to 1000000 images but is " + window);
            require(
                    distance >= 0 && distance <= 31,
                    "data.curate.nearDuplicates.distance must be 0 to 31 bits but is " + distance
                            + "; unrelated images differ in 32 of 64 on average");
        }
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
