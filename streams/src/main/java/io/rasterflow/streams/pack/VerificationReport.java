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
 * @param formats samples of each format
 * @param sizes samples of each {@code WIDTHxHEIGHT}
 * @param shorterSides samples by the length of their shorter side in pixels
 * @param aspects samples by aspect ratio, from tall to wide; see {@link Aspect}
 * @param duplicateKeys samples whose key an earlier one has; at most the first {@value Verification#MAX_LISTED}
 * @param duplicateKeyCount all of them
 * @param broken samples that cannot be decoded, their running number as position; the first {@value Verification#MAX_LISTED}
 * @param brokenCount all of them
 * @param faults what is wrong with whole shards, one line each
 */
public record VerificationReport(
        int shards,
        long samples,
        long bytes,
        SortedMap<Integer, Long> labels,
        SortedMap<String, Long> formats,
        SortedMap<String, Long> sizes,
        SortedMap<Integer, Long> shorterSides,
        SortedMap<Aspect, Long> aspects,
        List<String> duplicateKeys,
        long duplicateKeyCount,
        List<BadSample> broken,
        long brokenCount,
        List<String> faults) {

    /** Width to height, in classes. */
    public enum Aspect {
        TALLER_THAN_1_TO_2("taller than 1:2", 0.5),
        TALL("1:2 to 4:5", 0.8),
        SQUARE("4:5 to 5:4", 1.25),
        WIDE("5:4 to 2:1", 2),
        WIDER_THAN_2_TO_1("wider than 2:1", Double.POSITIVE_INFINITY);

        private final String text;
        private final double upTo;

        Aspect(String text, double upTo) {
            this.text = text;
            this.upTo = upTo;
        }

        static Aspect of(int width, int height) {
            double ratio = (double) width / height;
            for (Aspect aspect : values()) {
                if (ratio <= aspect.upTo) {
                    return aspect;
                }
            }
            throw new IllegalArgumentException("an image of " + width + "x" + height);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    public VerificationReport {
        labels = Collections.unmodifiableSortedMap(new TreeMap<>(labels));
        formats = Collections.unmodifiableSortedMap(new TreeMap<>(formats));
        sizes = Collections.unmodifiableSortedMap(new TreeMap<>(sizes));
        shorterSides = Collections.unmodifiableSortedMap(new TreeMap<>(shorterSides));
        aspects = Collections.unmodifiableSortedMap(new TreeMap<>(aspects));
        duplicateKeys = List.copyOf(duplicateKeys);
        broken = List.copyOf(broken);
        faults = List.copyOf(faults);
    }

    /** Whether every sample can be decoded and every shard is what it should be. */
    public boolean passed() {
        return brokenCount == 0 && faults.isEmpty();
    }

    /** The shorter side that half of the whole images do not exceed; 0 if there are none. */
    public int medianShorterSide() {
        long half = (shorterSides.values().stream().mapToLong(Long::longValue).sum() + 1) / 2;
        long seen = 0;
        for (var entry : shorterSides.entrySet()) {
            seen += entry.getValue();
            if (seen >= half) {
                return entry.getKey();
            }
        }
        return 0;
    }
}
