package io.rasterflow.monitoring.event;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToDoubleFunction;

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

    /** The parts by name, in the order in which they follow each other. */
    public static final Map<String, ToDoubleFunction<Ledger>> PARTS = parts();

    private static Map<String, ToDoubleFunction<Ledger>> parts() {
        Map<String, ToDoubleFunction<Ledger>> parts = new LinkedHashMap<>();
        parts.put("fetch", Ledger::fetch);
        parts.put("decode", Ledger::decode);
        parts.put("wait", Ledger::waiting);
        parts.put("compute", Ledger::compute);
        parts.put("exchange", Ledger::exchange);
        parts.put("update", Ledger::update);
        return Collections.unmodifiableMap(parts);
    }

    public double total() {
        return fetch + decode + waiting + compute + exchange + update;
    }
}
