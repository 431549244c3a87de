package io.rasterflow.streams.batch;

/**
 * How the pipeline runs. Nothing but {@code windowShards} changes what comes out of it.
 *
 * @param decodeThreads threads that read, decode and augment
 * @param prefetchBatches batches that are made ahead of the consumer
 * @param maxBadFraction part of the samples that may be unreadable before the stream fails, judged over at least 100 samples
 * @param windowShards shards whose samples are mixed with each other
 */
public record StreamConfig(int decodeThreads, int prefetchBatches, double maxBadFraction, int windowShards) {

    public StreamConfig {
        require(
                decodeThreads >= 1 && decodeThreads <= 1024,
                "data.stream.decodeThreads must be between 1 and 1024 but is " + decodeThreads);
        require(
                prefetchBatches >= 1 && prefetchBatches <= 4096,
                "data.stream.prefetchBatches must be between 1 and 4096 but is " + prefetchBatches);
        require(
                maxBadFraction >= 0 && maxBadFraction <= 1,
                "data.stream.maxBadFraction must be between 0 and 1 but is " + maxBadFraction);
        require(windowShards >= 1, "data.stream.windowShards must be at least 1 but is " + windowShards);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
