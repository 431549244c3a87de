package io.rasterflow.streams.pack;

import io.rasterflow.streams.batch.BadSample;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a data set holds.
 *
 * @param shards number of shards
 * @param samples images in all shards together
 * @param bytes encoded images together
 * @param labels samples of each label; -1 counts those that have none
 * @param sizes samples of each {@code WIDTHxHEIGHT}
 * @param broken samples that cannot be decoded, their running number as position; the first 1,000
 * @param brokenCount all of them
 */
public record VerificationReport(
        int shards,
        long samples,
        long bytes,
        SortedMap<Integer, Long> labels,
        SortedMap<String, Long> sizes,
        List<BadSample> broken,
        long brokenCount) {

    public VerificationReport {
        labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
        sizes = Collections.unmodifiableSortedMap(new TreeMap<>(sizes));
        broken = List.copyOf(broken);
    }

    /** Whether every sample can be decoded. */
    public boolean passed() {
        return brokenCount == 0;
    }
}
