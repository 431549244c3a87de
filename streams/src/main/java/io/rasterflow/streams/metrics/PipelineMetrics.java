package io.rasterflow.streams.metrics;

import java.util.List;

/**
 * The stages through which all samples of a data set go, in this process:
 *
 * <ul>
 *   <li>{@code fetch}: shards on their way into the cache; a slow source shows here;
 *   <li>{@code read}: samples being read from their shards, waiting for the shard included;
 *   <li>{@code decode}: samples being decoded and augmented;
 *   <li>{@code ready}: whole batches that wait for the consumer; a slow consumer shows here.
 * </ul>
 */
public final class PipelineMetrics {

    private final StageMetrics fetch = new StageMetrics("fetch");
    private final StageMetrics read = new StageMetrics("read");
    private final StageMetrics decode = new StageMetrics("decode");
    private final StageMetrics ready = new StageMetrics("ready");

    public StageMetrics fetch() {
        return fetch;
    }

    public StageMetrics read() {
        return read;
    }

    public StageMetrics decode() {
        return decode;
    }

    public StageMetrics ready() {
        return ready;
    }

    /** All stages in the order in which a sample passes them. */
    public List<StageMetrics.Snapshot> snapshot() {
        return List.of(fetch.snapshot(), read.snapshot(), decode.snapshot(), ready.snapshot());
    }
}
