package io.rasterflow.streams.pack;

import io.rasterflow.streams.format.GreyPng;
import io.rasterflow.streams.format.IdxReader;
import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.streams.storage.AtomicFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.zip.Deflater;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorOutputStream;
import org.apache.commons.compress.compressors.gzip.GzipParameters;

/**
 * Turns IDX pairs into WebDataset shards: {@code PREFIX-00.tar.gz}, {@code PREFIX-01.tar.gz}, … of {@code KEY.png} and
 * {@code KEY.cls}, and {@code classes.txt} with one class name per line. The same input gives the same bytes: entries
 * carry no time and no owner. Shards appear whole or not at all.
 */
public final class Packer {

    private Packer() {}

    /** As {@link #packIdx(Path, Path, Path, String, int, long, List)}, with the label numbers as class names. */
    public static PackReport packIdx(Path images, Path labels, Path outDir, String prefix, int perShard, long limit)
            throws IOException {
        return packIdx(images, labels, outDir, prefix, perShard, limit, List.of());
    }

    /**
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
        if (perShard < 1) {
            throw new IllegalArgumentException("--per-shard must be at least 1 but is " + perShard);
        }
        if (!prefix.matches("[A-Za-z0-9_-]+")) {
            throw new IllegalArgumentException(
                    "the shard prefix must consist of letters, digits, - and _ but is '" + prefix + "'");
        }
        try (IdxReader imageReader = IdxReader.open(images, 3);
                IdxReader labelReader = IdxReader.open(labels, 1)) {
            if (imageReader.count() != labelReader.count()) {
                throw new ShardFormatException(
                        labels.toString(),
                        4,
                        labelReader.count() + " labels for " + imageReader.count() + " images of " + images,
                        "pass the two files of one split");
            }
            long total = limit <= 0 ? imageReader.count() : Math.min(limit, imageReader.count());
            if (total == 0) {
                throw new ShardFormatException(images.toString(), 4, "no images", "pass a file that holds some");
            }
            int shardCount = Math.toIntExact((total + perShard - 1) / perShard);
            int digits = Math.max(2, Integer.toString(shardCount - 1).length());
            List<Path> shards = new ArrayList<>(shardCount);
            int maxLabel = -1;
            long bytes = 0;
            for (int s = 0; s < shardCount; s++) {
                String name = String.format(Locale.ROOT, "%s-%0" + digits + "d.tar.gz", prefix, s);
                Path shard = outDir.resolve(name);
                long first = (long) s * perShard;
                int count = (int) Math.min(perShard, total - first);
                int[] shardMaxLabel = new int[1];
                AtomicFile.write(
                        shard, out -> shardMaxLabel[0] = writeShard(out, imageReader, labelReader, first, count));
                maxLabel = Math.max(maxLabel, shardMaxLabel[0]);
                shards.add(shard);
                bytes += Files.size(shard);
            }
            List<String> classes = classes(classNames, maxLabel);
            AtomicFile.write(
                    outDir.resolve("classes.txt"),
                    out -> out.write((String.join("\n", classes) + "\n").getBytes(StandardCharsets.UTF_8)));
            return new PackReport(shards, total, classes.size(), bytes);
        }
    }

    /** Returns the largest label. */
    private static int writeShard(OutputStream out, IdxReader images, IdxReader labels, long first, int count)
            throws IOException {
        GzipParameters parameters = new GzipParameters();
        parameters.setCompressionLevel(Deflater.BEST_COMPRESSION);
        GzipCompressorOutputStream gzip = new GzipCompressorOutputStream(out, parameters);
        TarArchiveOutputStream tar = new TarArchiveOutputStream(gzip, StandardCharsets.UTF_8.name());
        byte[] pixels = new byte[images.itemBytes()];
        byte[] label = new byte[labels.itemBytes()];
        int maxLabel = -1;
        for (int i = 0; i < count; i++) {
            images.next(pixels);
            labels.next(label);
            int value = label[0] & 0xFF;
            maxLabel = Math.max(maxLabel, value);
            String key = String.format(Locale.ROOT, "%08d", first + i);
            putEntry(tar, key + ".cls", Integer.toString(value).getBytes(StandardCharsets.US_ASCII));
            putEntry(tar, key + ".png", GreyPng.encode(pixels, images.dimension(2), images.dimension(1)));
        }
        tar.finish();
        gzip.finish();
        return maxLabel;
    }

    private static void putEntry(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setSize(content.length);
        entry.setModTime(0L);
        entry.setIds(0, 0);
        entry.setNames("", "");
        entry.setMode(0100644);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static List<String> classes(List<String> names, int maxLabel) {
        if (names.isEmpty()) {
            return IntStream.rangeClosed(0, maxLabel)
                    .mapToObj(Integer::toString)
                    .toList();
        }
        if (maxLabel >= names.size()) {
            throw new IllegalArgumentException(
                    "label " + maxLabel + " has no name: only " + names.size() + " class names were given");
        }
        return names;
    }
}
