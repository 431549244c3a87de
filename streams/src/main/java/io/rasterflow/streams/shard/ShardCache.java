package io.rasterflow.streams.shard;

import io.rasterflow.streams.curate.ShardScanner;
import io.rasterflow.streams.format.ShardFormatException;
import io.rasterflow.streams.storage.AtomicFile;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * A folder with the index of every shard, and the uncompressed content of those that are compressed. Names carry a hash
 * of the shard's absolute path, size and modification time, so that a changed shard is never mistaken for the old one.
 * Several processes may share the folder: files appear by atomic rename and there are no locks.
 */
final class ShardCache {

    private static final Duration ABANDONED = Duration.ofDays(1);
    private static final String ADVICE = "the shard is incomplete or damaged, fetch or pack it again";

    private final Path directory;

    /** Creates the folder if need be and clears away what killed processes left there more than a day ago. */
    ShardCache(Path directory) throws IOException {
        this.directory = directory;
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new IOException(
                    "cannot create the cache folder " + directory + " (" + e + "); choose another with data.cacheDir",
                    e);
        }
        removeAbandoned();
    }

    /**
     * A shard that is ready for random access.
     *
     * @param tar uncompressed tar: the shard itself or its copy in the cache
     */
    record Prepared(Path tar, ShardIndex index) {}

    /**
     * Makes sure that a shard is indexed and, if compressed, expanded.
     *
     * @throws ShardFormatException naming shard and offset if it is damaged
     */
    Prepared prepare(Path shard) throws IOException {
        String name = cacheName(shard);
        Path indexFile = directory.resolve(name + ".idx");
        boolean compressed = isGzip(shard);
        Path tar = compressed ? directory.resolve(name + ".tar") : shard;
        ShardIndex index = ShardIndex.readOrNull(indexFile);
        if (index != null && Files.isRegularFile(tar) && Files.size(tar) == index.tarBytes()) {
            return new Prepared(tar, index);
        }
        if (compressed) {
            AtomicFile.write(tar, out -> expand(shard, out));
        }
        ShardScanner scanner = ShardScanner.ofEverything();
        index = ShardIndex.of(scanner.scan(tar, shard.toString()), Files.size(tar), scanner.fingerprint());
        AtomicFile.write(indexFile, index::write);
        return new Prepared(tar, index);
    }

    private static String cacheName(Path shard) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(shard, BasicFileAttributes.class);
        String identity = shard.toAbsolutePath().normalize() + "\n" + attributes.size() + "\n"
                + attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS);
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(identity.getBytes(StandardCharsets.UTF_8));
            String stem = shard.getFileName().toString().replaceFirst("\\.(tar|tar\\.gz|tgz)$", "");
            return stem + "-" + HexFormat.of().formatHex(Arrays.copyOf(digest, 10));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static boolean isGzip(Path shard) throws IOException {
        try (InputStream in = Files.newInputStream(shard)) {
            byte[] magic = in.readNBytes(4);
            if (magic.length == 0) {
                throw new ShardFormatException(shard.toString(), 0, "the file is empty", ADVICE);
            }
            if (magic.length == 4
                    && magic[0] == 0x28
                    && magic[1] == (byte) 0xB5
                    && magic[2] == 0x2F
                    && magic[3] == (byte) 0xFD) {
                throw new ShardFormatException(
                        shard.toString(), 0, "zstd compression is not read", "repack it as .tar or .tar.gz");
            }
            return magic.length >= 2 && magic[0] == 0x1f && magic[1] == (byte) 0x8b;
        }
    }

    private static void expand(Path shard, OutputStream out) throws IOException {
        byte[] buffer = new byte[1 << 16];
        long written = 0;
        try (InputStream file = Files.newInputStream(shard);
                InputStream in = new GZIPInputStream(file, 1 << 16)) {
            while (true) {
                int got;
                try {
                    got = in.read(buffer);
                } catch (EOFException | ZipException e) {
                    throw new ShardFormatException(
                            shard.toString(),
                            written,
                            "the gzip stream is cut short or broken (" + e.getMessage() + ")",
                            ADVICE);
                }
                if (got < 0) {
                    return;
                }
                out.write(buffer, 0, got);
                written += got;
            }
        }
    }

    private void removeAbandoned() throws IOException {
        FileTime limit = FileTime.from(Instant.now().minus(ABANDONED));
        List<Path> files;
        try (Stream<Path> listing = Files.list(directory)) {
            files = listing.filter(file -> file.getFileName().toString().endsWith(AtomicFile.TEMPORARY_SUFFIX))
                    .toList();
        }
        for (Path file : files) {
            try {
                if (Files.getLastModifiedTime(file).compareTo(limit) < 0) {
                    Files.deleteIfExists(file);
                }
            } catch (NoSuchFileException e) {
                // Its owner has just renamed it.
            }
        }
    }
}
