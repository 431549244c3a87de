package io.rasterflow.streams.pack.source;

import io.rasterflow.streams.format.GreyPng;
import io.rasterflow.streams.format.IdxReader;
import io.rasterflow.streams.format.ShardFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/** A pair of IDX files, plain or gzip: grey images and their labels. Images become PNG; see {@link GreyPng}. */
public final class IdxSource implements PackSource {

    private final String name;
    private final int width;
    private final int height;
    private final byte[] labels;

    /** The pixels of all images in a file that has no name any more: it goes away with this process. */
    private final FileChannel pixels;

    private final Map<String, String> identity;

    private IdxSource(
            String name, int width, int height, byte[] labels, FileChannel pixels, Map<String, String> identity) {
        this.name = name;
        this.width = width;
        this.height = height;
        this.labels = labels;
        this.pixels = pixels;
        this.identity = identity;
    }

    /**
     * Reads both files to their ends, so that a damaged one is refused before anything is packed.
     *
     * @throws ShardFormatException if a file is not what it should be
     */
    public static IdxSource open(Path images, Path labels) throws IOException {
        try (IdxReader imageReader = IdxReader.open(images, 3);
                IdxReader labelReader = IdxReader.open(labels, 1)) {
            if (imageReader.count() != labelReader.count()) {
                throw new ShardFormatException(
                        labels.toString(),
                        4,
                        labelReader.count() + " labels for " + imageReader.count() + " images of " + images,
                        "pass the two files of one split");
            }
            if (imageReader.count() == 0) {
                throw new ShardFormatException(images.toString(), 4, "no images", "pass a file that holds some");
            }
            byte[] all = new byte[labelReader.count()];
            byte[] label = new byte[labelReader.itemBytes()];
            for (int i = 0; i < all.length; i++) {
                labelReader.next(label);
                all[i] = label[0];
            }
            Map<String, String> identity = Map.of(
                    "--images", "content " + Digests.name(images), "--labels", "content " + Digests.name(labels));
            FileChannel pixels = expand(imageReader);
            return new IdxSource(
                    images.toString(), imageReader.dimension(2), imageReader.dimension(1), all, pixels, identity);
        }
    }

    private static FileChannel expand(IdxReader images) throws IOException {
        Path file = Files.createTempFile("rasterflow-idx", ".tmp");
        FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            Files.delete(file);
            byte[] item = new byte[images.itemBytes()];
            for (int i = 0; i < images.count(); i++) {
                images.next(item);
                ByteBuffer source = ByteBuffer.wrap(item);
                while (source.hasRemaining()) {
                    channel.write(source);
                }
            }
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public long size() {
        return labels.length;
    }

    @Override
    public boolean randomAccess() {
        return true;
    }

    /** The labels' numbers. */
    @Override
    public List<String> classes() {
        return IntStream.rangeClosed(0, maxLabel(labels.length))
                .mapToObj(Integer::toString)
                .toList();
    }

    /** The largest label of the first {@code count} images. */
    public int maxLabel(long count) {
        return IntStream.range(0, (int) count).map(i -> labels[i] & 0xFF).max().orElse(-1);
    }

    @Override
    public Map<String, String> identity() {
        return identity;
    }

    @Override
    public PackItem item(long index) {
        Objects.checkIndex(index, size());
        return new PackItem(PackItem.key(index), name + " image " + index, () -> load((int) index));
    }

    private PackSample load(int index) throws IOException {
        byte[] item = new byte[width * height];
        ByteBuffer target = ByteBuffer.wrap(item);
        while (target.hasRemaining()) {
            if (pixels.read(target, (long) index * item.length + target.position()) < 0) {
                throw new IOException("the expanded pixels of " + name + " are gone");
            }
        }
        return new PackSample(GreyPng.encode(item, width, height), labels[index] & 0xFF);
    }

    @Override
    public void close() throws IOException {
        pixels.close();
    }
}
