package io.rasterflow.tests.streams;

import io.rasterflow.streams.pack.Compression;
import io.rasterflow.streams.pack.PackConfig;
import io.rasterflow.streams.pack.PackReport;
import io.rasterflow.streams.pack.Packer;
import io.rasterflow.streams.pack.source.PackSource;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;

/** Images to pack, and a look into what was packed. */
final class PackData {

    private PackData() {}

    /** A colour gradient; every {@code i} another one. */
    static BufferedImage image(int i, int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        Color from = new Color(i * 7 % 256, i * 31 % 256, 200);
        Color to = new Color(i * 13 % 256, 40, i * 3 % 256);
        graphics.setPaint(new GradientPaint(0, 0, from, width, height, to));
        graphics.fillRect(0, 0, width, height);
        graphics.dispose();
        return image;
    }

    static byte[] jpeg(int i) throws IOException {
        return TestData.encode(image(i, 48 + i % 5, 40), "jpg");
    }

    /** {@code cat/…} and {@code dog/…} in turn, below a new folder. */
    static Path folder(Path parent, int count) throws IOException {
        Path folder = parent.resolve("images");
        for (int i = 0; i < count; i++) {
            Path file = folder.resolve(i % 2 == 0 ? "cat" : "dog").resolve(String.format("photo.%03d.jpg", i));
            Files.createDirectories(file.getParent());
            Files.write(file, jpeg(i));
        }
        return folder;
    }

    static PackConfig config(int perShard, Compression compression, OptionalLong shuffle, boolean dedup) {
        return config(perShard, 1 << 30, compression, 0, shuffle, dedup);
    }

    static PackConfig config(
            int perShard,
            long shardBytes,
            Compression compression,
            int shorterSide,
            OptionalLong shuffle,
            boolean dedup) {
        return new PackConfig(
                "train", 5, perShard, shardBytes, compression, shorterSide, shuffle, 0, true, dedup, 2, List.of());
    }

    static PackReport pack(PackSource source, PackConfig config, Path out) throws IOException {
        try (source) {
            return Packer.pack(source, config, out, false, (done, total) -> {});
        }
    }

    /** Names and contents of the entries of an uncompressed shard, in order. */
    static Map<String, byte[]> entries(Path tar) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (InputStream file = new BufferedInputStream(Files.newInputStream(tar));
                TarArchiveInputStream in = new TarArchiveInputStream(file)) {
            for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                entries.put(entry.getName(), in.readAllBytes());
            }
        }
        return entries;
    }

    /** What lies in a folder, by name, but for the journal and other hidden files. */
    static Map<String, byte[]> visible(Path folder) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> listing = Files.list(folder)) {
            for (Path file : listing.toList()) {
                String name = file.getFileName().toString();
                if (!name.startsWith(".")) {
                    files.put(name, Files.readAllBytes(file));
                }
            }
        }
        return files;
    }
}
