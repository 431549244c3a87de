package io.rasterflow.streams.storage;

import java.util.Map;

/**
 * What a storage has done since it was opened.
 *
 * @param stores by scheme and host or bucket, such as {@code https://host:8443}, {@code s3://bucket} and {@code file:}
 */
public record StorageMetrics(Map<String, Counts> stores) {

    public StorageMetrics {
        stores = Map.copyOf(stores);
    }

    /**
     * Counts of one store.
     *
     * @param requests tries of any kind, second requests of hedging included
     * @param retries tries that followed a failed one
     * @param hedges second requests for bytes that did not come
     * @param bytes of bodies that were written
     * @param failures calls that failed for good
     */
    public record Counts(long requests, long retries, long hedges, long bytes, long failures) {

        private Counts plus(Counts other) {
            return new Counts(
                    requests + other.requests,
                    retries + other.retries,
                    hedges + other.hedges,
                    bytes + other.bytes,
                    failures + other.failures);
        }
    }

    /** Over all stores. */
    public Counts total() {
        return stores.values().stream().reduce(new Counts(0, 0, 0, 0, 0), Counts::plus);
    }
}
