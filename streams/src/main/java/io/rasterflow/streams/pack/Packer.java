package io.rasterflow.streams.pack;

import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.streams.pack.source.IdxSource;
import io.rasterflow.streams.pack.source.PackSource;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/**
 * Turns images into WebDataset shards: {@code PREFIX-00000.tar}, … of {@code KEY.cls}, {@code KEY.jpg} or another
 * extension, and perhaps {@code KEY.txt} and {@code KEY.json}; with a {@link io.rasterflow.streams.shard.Manifest},
 * {@code classes.txt} with one name per line, and {@code failures.jsonl}.
 *
 * <p>The same images give the same bytes, also when the process was killed in between, however often: called again, it
 * goes on from its last second. Images that cannot be packed leave no gap. Shards appear whole or not at all.
 */
public final class Packer {

    private Packer() {}

    /** Hears how far a packing is. */
    @FunctionalInterface
    public interface Progress {
        /**
         * @param done items that were attempted
         * @param total all of them
         */
        void at(long done, long total);
    }

    /**
     * Packs, or goes on.
     *
     * @param outDir folder for the shards
     * @param retryFailed whether what failed is tried once more afterwards; what then succeeds comes into further shards
     * @throws IOException one line: the source cannot be read, the folder not be written, or belongs to another packing
     */
    public static PackReport pack(
            PackSource source, PackConfig config, Path outDir, boolean retryFailed, Progress progress)
            throws IOException {
        try (PackRun run = new PackRun(source, config, outDir, progress)) {
            return run.run(retryFailed);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("packing was interrupted; start it again and it goes on");
        }
    }

    /** As {@link #packIdx(Path, Path, Path, String, int, long, List)}, with the label numbers as class names. */
    public static PackReport packIdx(Path images, Path labels, Path outDir, String prefix, int perShard, long limit)
            throws IOException {
        return packIdx(images, labels, outDir, prefix, perShard, limit, List.of());
    }

    /**
     * Packs a pair of IDX files into {@code PREFIX-00.tar.gz}, …
     *
     * @param images IDX file of N grey images, plain or gzip
     * @param labels IDX file of N labels, plain or gzip
     * @param prefix of the shard names
     * @param perShard images in each shard but the last
     * @param limit images to take from the start; 0 or less for all
     * @param classNames names of the labels 0, 1, …; empty to use the numbers
     * @throws ShardFormatException if an IDX file is not what it should be
     */
    public static PackReport packIdx(
            Path images, Path labels, Path outDir, String prefix, int perShard, long limit, List<String> classNames)
            throws IOException {
        PackConfig plain = PackConfig.of(prefix, perShard);
        try (IdxSource source = IdxSource.open(images, labels)) {
            long count = limit > 0 ? Math.min(limit, source.size()) : source.size();
            PackConfig config = new PackConfig(
                    prefix,
                    idxDigits(count, perShard),
                    perShard,
                    plain.shardBytes(),
                    Compression.GZ,
                    0,
                    OptionalLong.empty(),
                    Math.max(0, limit),
                    true,
                    false,
                    plain.threads(),
                    idxClasses(source, count, classNames));
            return pack(source, config, outDir, false, (done, total) -> {});
        }
    }

    /** Digits of the shard numbers of IDX data: as many as they need, at least two. */
    public static int idxDigits(long count, int perShard) {
        return Math.max(2, Long.toString((count - 1) / perShard).length());
    }

    /** One name for each label of the first {@code count} images: the given ones, or the numbers. */
    public static List<String> idxClasses(IdxSource source, long count, List<String> names) {
        int maxLabel = source.maxLabel(count);
        if (names.isEmpty()) {
            return source.classes().subList(0, maxLabel + 1);
        }
        if (maxLabel >= names.size()) {
            throw new IllegalArgumentException(
                    "label " + maxLabel + " has no name: only " + names.size() + " class names were given");
        }
        return names;
    }
}
