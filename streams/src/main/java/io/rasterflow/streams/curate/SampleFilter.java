package io.rasterflow.streams.curate;

import java.io.IOException;
import java.util.Optional;

/**
 * Decides which samples of a shard are used. An instance sees the samples of one shard in their order, from one thread, and
 * is closed after the last.
 *
 * <p>What it decides must be a function of those samples alone: indexes are made on several machines, and all must agree. A
 * sample that it cannot judge, such as an image that cannot be decoded, it should keep: it is quarantined, with the cause,
 * where it is used.
 *
 * <p>Filters of your own are found by {@link java.util.ServiceLoader}: a public class with a public constructor without
 * parameters, named in {@code META-INF/services/io.rasterflow.streams.curate.SampleFilter} of a jar on the class path, and
 * switched on by its {@link #name} in {@code data.curate.filters}.
 */
public interface SampleFilter extends AutoCloseable {

    /** Name in the configuration. */
    String name();

    /** Changes whenever the filter decides otherwise, so that indexes are made again. */
    default String version() {
        return "1";
    }

    /**
     * Why the sample is left out, in few words that are the same for all of a kind, because they are counted; empty to keep
     * it.
     */
    Optional<String> reject(Candidate sample) throws IOException;

    /** Frees what the filter holds. */
    @Override
    default void close() {}
}
