package io.rasterflow.streams.curate;

import io.rasterflow.streams.format.FoundSample;
import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.format.SampleSink;
import io.rasterflow.streams.format.ShardFormatException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** The filters at work on one shard, the cheap ones first, and what they have decided so far. */
final class Curation implements SampleSink, AutoCloseable {

    /** A filter that words every rejection differently must not fill the index. */
    private static final int MAX_CAUSES = 100;

    private static final int MAX_CAUSE_LENGTH = 200;
    /** Near-duplicates that are named; all are counted. */
    private static final int MAX_DUPLICATES = 100;

    private final String shard;
    private final boolean strict;
    private final long minBytes;
    private final List<SampleFilter> filters;
    private final List<SampleEntry> kept = new ArrayList<>();
    private final SortedMap<String, Integer> leftOut = new TreeMap<>();
    private final List<NearDuplicate> duplicates = new ArrayList<>();

    /**
     * @param strict whether a broken sample ends the scan
     * @param own filters that are not ours
     */
    Curation(CurationConfig config, List<SampleFilter> own, String shard, boolean strict) {
        this.shard = shard;
        this.strict = strict;
        this.minBytes = config.minBytes();
        this.filters = new ArrayList<>();
        config.fields().forEach(rule -> filters.add(FieldRule.parse(rule)));
        if (config.minCaptionWords() > 0) {
            filters.add(new CaptionFilter(config.minCaptionWords()));
        }
        if (config.minSide() > 0 || config.maxAspect() > 0) {
            filters.add(new SizeFilter(config.minSide(), config.maxAspect()));
        }
        filters.addAll(own);
        if (config.nearDuplicates().window() > 0) { // the last one: what it compares with must have been kept
            filters.add(new NearDuplicateFilter(config.nearDuplicates()));
        }
    }

    @Override
    public void found(FoundSample sample) throws IOException {
        Optional<String> cause =
                sample.entry().length() < minBytes ? Optional.of("bytes") : reject(new Candidate(sample));
        if (cause.isPresent()) {
            leftOut(cause.get());
        } else {
            kept.add(sample.entry());
        }
    }

    private Optional<String> reject(Candidate sample) throws IOException {
        for (SampleFilter filter : filters) {
            Optional<String> cause;
            try {
                cause = filter.reject(sample);
            } catch (RuntimeException e) {
                throw new IOException(
                        "the filter " + filter.name() + " failed on " + sample.key() + " of " + shard + ": " + e, e);
            }
            if (cause.isPresent()) {
                if (filter instanceof NearDuplicateFilter near && duplicates.size() < MAX_DUPLICATES) {
                    duplicates.add(near.found());
                }
                return cause;
            }
        }
        return Optional.empty();
    }

    @Override
    public void leftOut(String cause) {
        String known = cause.length() > MAX_CAUSE_LENGTH ? cause.substring(0, MAX_CAUSE_LENGTH) : cause;
        boolean full = leftOut.size() >= MAX_CAUSES && !leftOut.containsKey(known);
        leftOut.merge(full ? "other" : known, 1, Integer::sum);
    }

    @Override
    public void broken(String cause, ShardFormatException fault) throws ShardFormatException {
        if (strict) {
            throw fault;
        }
        leftOut(cause);
    }

    List<SampleEntry> kept() {
        return kept;
    }

    SortedMap<String, Integer> leftOut() {
        return leftOut;
    }

    List<NearDuplicate> duplicates() {
        return duplicates;
    }

    @Override
    public void close() {
        filters.forEach(SampleFilter::close);
    }
}
