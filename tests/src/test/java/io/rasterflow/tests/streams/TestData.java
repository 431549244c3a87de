package io.rasterflow.tests.streams;

import io.rasterflow.streams.augment.AugmentConfig;
import io.rasterflow.streams.batch.StreamConfig;
import io.rasterflow.streams.pack.Packer;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** Small data sets for tests. */
final class TestData {

    static final int SIDE = 28;

    private TestData() {}

    /** Pixels of image {@code i}: noise, the same every time. */
    static byte[] pixels(int i) {
        byte[] pixels = new byte[SIDE * SIDE];
        new Random(i).nextBytes(pixels);
        return pixels;
    }

    /** Writes images and labels (i mod 10) as IDX, and returns the two files. */
    static List<Path> idx(Path folder, int count, boolean gzip) throws IOException {
        ByteBuffer images = ByteBuffer.allocate(16 + count * SIDE * SIDE);
        images.putInt(0x803).putInt(count).putInt(SIDE).putInt(SIDE);
        ByteBuffer labels = ByteBuffer.allocate(8 + count).putInt(0x801).putInt(count);
        for (int i = 0; i < count; i++) {
            images.put(pixels(i));
            labels.put((byte) (i % 10));
        }
        Path imageFile = folder.resolve("images-idx3-ubyte");
        Path labelFile = folder.resolve("labels-idx1-ubyte");
        write(imageFile, images.array(), gzip);
        write(labelFile, labels.array(), gzip);
        return List.of(imageFile, labelFile);
    }

    private static void write(Path file, byte[] bytes, boolean gzip) throws IOException {
        try (OutputStream raw = Files.newOutputStream(file);
                OutputStream out = gzip ? new GZIPOutputStream(raw) : raw) {
            out.write(bytes);
        }
    }

    /** Packs {@code count} images into shards {@code s-00.tar.gz}, …; returns the folder. */
    static Path packed(Path folder, int count, int perShard) throws IOException {
        Path source = Files.createDirectories(folder.resolve("idx"));
        Path shards = folder.resolve("shards");
        List<Path> idx = idx(source, count, false);
        Packer.packIdx(idx.get(0), idx.get(1), shards, "s", perShard, 0);
        return shards;
    }

    /** Writes a plain tar of the given files in order. */
    static Path tar(Path file, Map<String, byte[]> entries) throws IOException {
        try (TarArchiveOutputStream tar = new TarArchiveOutputStream(Files.newOutputStream(file))) {
            tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
            for (Map.Entry<String, byte[]> e : entries.entrySet()) {
                TarArchiveEntry entry = new TarArchiveEntry(e.getKey());
                entry.setSize(e.getValue().length);
                tar.putArchiveEntry(entry);
                tar.write(e.getValue());
                tar.closeArchiveEntry();
            }
        }
        return file;
    }

    /** Samples {@code from} … {@code to}-1 in one shard; those in {@code broken} have the given bytes for an image. */
    static Path tarWithBroken(Path file, int from, int to, Map<Integer, byte[]> broken) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        for (int i = from; i < to; i++) {
            String key = String.format("%04d", i);
            entries.put(key + ".cls", text(Integer.toString(i)));
            entries.put(key + ".png", broken.getOrDefault(i, png(pixels(i))));
        }
        return tar(file, entries);
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A grey 28×28 PNG by another encoder than ours. */
    static byte[] png(byte[] pixels) throws IOException {
        BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_BYTE_GRAY);
        image.getRaster().setDataElements(0, 0, SIDE, SIDE, pixels);
        return encode(image, "png");
    }

    static byte[] encode(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, format, out);
        return out.toByteArray();
    }

    static AugmentConfig augment() {
        return new AugmentConfig(SIDE, 1, 0.4, 1.0, 0.75, 4.0 / 3, 0.5, SIDE, List.of(0.5), List.of(0.25));
    }

    static StreamConfig stream(int threads, int prefetch, double maxBad) {
        return new StreamConfig(threads, prefetch, maxBad, 2);
    }
}
