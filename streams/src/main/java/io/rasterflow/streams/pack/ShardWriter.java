package io.rasterflow.streams.pack;

import io.rasterflow.streams.pack.source.Digests;
import io.rasterflow.streams.shard.Manifest;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * The shard that grows. It is an uncompressed tar under a temporary name until it is full, whatever the compression, so
 * that a packing that was killed goes on in the middle of it; entries carry no time and no owner.
 */
final class ShardWriter implements Closeable {

    /** Two blocks of zeros. */
    private static final byte[] END_OF_ARCHIVE = new byte[1024];

    private final PackFiles files;
    private int number;
    private AppendedFile part;
    private int samples;
    private final Set<String> keys = new HashSet<>();

    /**
     * Goes on where a checkpoint says.
     *
     * @param number of the shard that grows
     */
    ShardWriter(PackFiles files, int number, Checkpoint checkpoint) throws IOException {
        this.files = files;
        this.number = number;
        if (checkpoint.partSamples() > 0) {
            part = new AppendedFile(files.part(number), checkpoint.partBytes());
            samples = checkpoint.partSamples();
            readKeys();
        } else {
            Files.deleteIfExists(files.part(number));
        }
    }

    private void readKeys() throws IOException {
        try (InputStream file = new BufferedInputStream(Files.newInputStream(files.part(number)), 1 << 16);
                TarArchiveInputStream in = new TarArchiveInputStream(file, StandardCharsets.UTF_8.name())) {
            for (TarArchiveEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                String name = entry.getName();
                keys.add(name.substring(0, name.indexOf('.', name.lastIndexOf('/') + 1)));
            }
        }
    }

    int number() {
        return number;
    }

    int samples() {
        return samples;
    }

    long bytes() {
        return part == null ? 0 : part.bytes();
    }

    /** The tar entries of a sample; a key that the shard has already is made another by the item's number. */
    byte[] entries(String key, long item, PackedImage image) throws IOException {
        String unique = keys.contains(key) ? key + "-" + item : key;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(image.bytes().length + 4096);
        TarArchiveOutputStream tar = new TarArchiveOutputStream(bytes, StandardCharsets.UTF_8.name());
        tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_POSIX);
        if (image.label() >= 0) {
            put(tar, unique + ".cls", Integer.toString(image.label()).getBytes(StandardCharsets.US_ASCII));
        }
        put(tar, unique + "." + image.extension(), image.bytes());
        for (Map.Entry<String, byte[]> other : image.others().entrySet()) {
            put(tar, unique + "." + other.getKey(), other.getValue());
        }
        tar.flush();
        keys.add(unique);
        return bytes.toByteArray();
    }

    private static void put(TarArchiveOutputStream tar, String name, byte[] content) throws IOException {
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

    /** Adds one sample. */
    void add(byte[] entries) throws IOException {
        if (part == null) {
            part = new AppendedFile(files.part(number), 0);
        }
        part.write(entries);
        samples++;
    }

    void sync() throws IOException {
        if (part != null) {
            part.sync();
        }
    }

    /** Brings the shard into its final form under a temporary name; {@link #publish} must follow. */
    Manifest.Shard finish() throws IOException {
        part.write(END_OF_ARCHIVE);
        part.sync();
        part.close();
        Path complete = files.part(number);
        if (files.config().compression() != Compression.NONE) {
            compress(complete, files.ready(number));
            complete = files.ready(number);
        }
        return new Manifest.Shard(files.shardName(number), samples, Files.size(complete), Digests.sha256(complete));
    }

    private void compress(Path from, Path to) throws IOException {
        try (FileChannel channel = FileChannel.open(
                        to, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
                OutputStream out = files.config().compression().compress(Channels.newOutputStream(channel));
                InputStream in = Files.newInputStream(from)) {
            in.transferTo(out);
        } catch (IOException e) {
            throw AppendedFile.cannotWrite(to, e);
        }
        try (FileChannel channel = FileChannel.open(to, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    /** Gives the finished shard its name, after the journal knows it, and begins the next one. */
    void publish() throws IOException {
        publish(files, number);
        number++;
        part = null;
        samples = 0;
        keys.clear();
    }

    /** What is left to do for a shard that the journal knows; nothing if it was done. */
    static void publish(PackFiles files, int number) throws IOException {
        Path shard = files.shard(number);
        Path complete = files.config().compression() == Compression.NONE ? files.part(number) : files.ready(number);
        if (Files.exists(complete)) {
            Files.move(complete, shard, StandardCopyOption.ATOMIC_MOVE);
        }
        Files.deleteIfExists(files.part(number));
        if (!Files.exists(shard)) {
            throw new IOException(shard + " is gone although it was packed; restore it, or pack into another --out");
        }
    }

    @Override
    public void close() throws IOException {
        if (part != null) {
            part.close();
        }
    }
}
