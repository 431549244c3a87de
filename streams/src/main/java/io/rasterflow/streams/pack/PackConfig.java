package io.rasterflow.streams.pack;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/**
 * How images become shards.
 *
 * @param prefix of the names of shards: letters, digits, - and _
 * @param digits of the number in their names, at least
 * @param perShard most samples in a shard
 * @param shardBytes largest uncompressed shard, unless a single sample is larger
 * @param compression of whole shards
 * @param shorterSide images whose shorter side is longer are made smaller and become JPEG; 0 to keep them as they are
 * @param shuffle key of the permutation of the items; empty to keep their order
 * @param limit only so many items from the start; 0 for all
 * @param decode whether every image is decoded to the end before it is packed, not only its header read
 * @param dedup whether an image with the same bytes as an earlier one is left out
 * @param threads that load and decode
 * @param classNames names of the labels 0, 1, …; empty to take what the source knows
 */
public record PackConfig(
        String prefix,
        int digits,
        int perShard,
        long shardBytes,
        Compression compression,
        int shorterSide,
        OptionalLong shuffle,
        long limit,
        boolean decode,
        boolean dedup,
        int threads,
        List<String> classNames) {

    /** The prefix whose side files carry no prefix. */
    public static final String DEFAULT_PREFIX = "train";

    private static final long DEFAULT_SHARD_BYTES = 1L << 30;
    private static final int DEFAULT_DIGITS = 5;

    public PackConfig {
        classNames = List.copyOf(classNames);
        if (!prefix.matches("[A-Za-z0-9_-]+")) {
            throw new IllegalArgumentException(
                    "the shard prefix must consist of letters, digits, - and _ but is '" + prefix + "'");
        }
        require(digits >= 1 && digits <= 12, "digits", digits, "between 1 and 12");
        require(perShard >= 1, "--per-shard", perShard, "at least 1");
        require(shardBytes >= 1024, "--shard-bytes", shardBytes, "at least 1024");
        require(shorterSide >= 0 && shorterSide <= 1 << 15, "--size", shorterSide, "between 0 and 32768");
        require(threads >= 1 && threads <= 1024, "--threads", threads, "between 1 and 1024");
        if (!decode && shorterSide > 0) {
            throw new IllegalArgumentException(
                    "--size makes images smaller and must decode them; leave out --no-decode");
        }
    }

    private static void require(boolean condition, String name, long value, String needed) {
        if (!condition) {
            throw new IllegalArgumentException(name + " must be " + needed + " but is " + value);
        }
    }

    /** Plain shards of up to {@code perShard} samples or 1 GiB, images as they are, in order, decoded. */
    public static PackConfig of(String prefix, int perShard) {
        return new PackConfig(
                prefix,
                DEFAULT_DIGITS,
                perShard,
                DEFAULT_SHARD_BYTES,
                Compression.NONE,
                0,
                OptionalLong.empty(),
                0,
                true,
                false,
                Runtime.getRuntime().availableProcessors(),
                List.of());
    }

    /** All that the bytes of the shards depend on, by the name of the option. */
    Map<String, String> arguments() {
        Map<String, String> arguments = new LinkedHashMap<>();
        arguments.put("--prefix", prefix);
        arguments.put("--per-shard", Integer.toString(perShard));
        arguments.put("--shard-bytes", Long.toString(shardBytes));
        arguments.put("--compress", compression.name().toLowerCase(Locale.ROOT));
        arguments.put("--size", Integer.toString(shorterSide));
        arguments.put("--shuffle", shuffle.isPresent() ? Long.toString(shuffle.getAsLong()) : "off");
        arguments.put("--limit", Long.toString(limit));
        arguments.put("--dedup", dedup ? "on" : "off");
        arguments.put("--classes", String.join(",", classNames));
        return arguments;
    }
}
