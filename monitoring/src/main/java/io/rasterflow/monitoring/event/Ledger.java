package io.rasterflow.monitoring.event;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Where the wall-clock time of a step went, in seconds; the parts sum to the wall clock of the step.
 *
 * @param fetch waiting for a batch, share attributed to reading shards
 * @param decode waiting for a batch, share attributed to decoding and augmenting
 * @param waiting ({@code wait} in JSON) waiting for anything else before computing (control messages)
 * @param compute forward and backward
 * @param exchange all-reduce
 * @param update clipping and AdamW
 */
public record Ledger(
        double fetch,
        double decode,
        @JsonProperty("wait") double waiting,
        double compute,
        double exchange,
        double update) {

    public double total() {
        return fetch + decode + waiting + compute + exchange + update;
    }
}
