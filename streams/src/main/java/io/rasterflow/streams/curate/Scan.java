package io.rasterflow.streams.curate;

import io.rasterflow.streams.format.Damage;
import io.rasterflow.streams.format.SampleEntry;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a shard holds.
 *
 * @param samples those that are used, in the order of the shard
 * @param leftOut number of the others, by cause
 * @param duplicates the first near-duplicates among them, and what they are like
 * @param damage where the shard is cut or damaged, if it is; samples behind it are neither used nor counted
 */
public record Scan(
        List<SampleEntry> samples,
        SortedMap<String, Integer> leftOut,
        List<NearDuplicate> duplicates,
        Optional<Damage> damage) {

    public Scan {
        samples = List.copyOf(samples);
        duplicates = List.copyOf(duplicates);
        leftOut = Collections.unmodifiableSortedMap(new TreeMap<>(leftOut));
    }
}
