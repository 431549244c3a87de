package io.rasterflow.streams.batch;

import java.util.List;

/**
 * How the pipeline runs. Nothing but {@code windowShards} and {@code quarantine} changes what comes out of it.
 *
 * @param decodeThreads threads that read, decode and augment
 * @param prefetchBatches batches that are made ahead of the consumer
 * @param maxBadFraction part of the samples that may be unreadable before the stream fails, judged over at least 100 samples
 * @param windowShards shards of a source whose samples are mixed with each other
 * @param bufferBytes limit on the batches that are being made or wait for the consumer, in bytes; one is always allowed
 * @param quarantine samples, as {@code SHARD#KEY}, that training replaces as if they were unreadable
 */
public record StreamConfig(
        int decodeThreads,
        int prefetchBatches,
        double maxBadFraction,
        int windowShards,
        long bufferBytes,
        List<String> quarantine) {

    private static final long DEFAULT_BUFFER_BYTES = 2_000_000_000;

    /** With the usual {@code bufferBytes} and nothing in quarantine. */
    public StreamConfig(int decodeThreads, int prefetchBatches, double maxBadFraction, int windowShards) {
        this(decodeThreads, prefetchBatches, maxBadFraction, windowShards, DEFAULT_BUFFER_BYTES, List.of());
    }

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
        require(bufferBytes >= 1, "data.stream.bufferBytes must be at least 1 but is " + bufferBytes);
        quarantine = List.copyOf(quarantine);
        for (String sample : quarantine) {
            require(
                    sample.indexOf('#') > 0,
                    "data.stream.quarantine names samples as SHARD#KEY, which \"" + sample + "\" is not");
        }
        require(windowShards >= 1, "data.stream.windowShards must be at least 1 but is " + windowShards);
    }

    /** How many batches of the given size may be under way at the same time. */
    int batchesAhead(long batchBytes) {
        return (int) Math.max(1, Math.min(prefetchBatches, bufferBytes / batchBytes));
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }
}
