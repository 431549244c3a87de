package io.rasterflow.streams.shard;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/**
 * Keeps the shards in the cache folder within a number of bytes, and some of the disk free: the least recently used go
 * first. Their access time tells; it is set by hand, since a file system may not keep it. A shard may go while a process
 * still reads it: an open file stays readable until it is closed.
 */
final class CacheSpace {

    static final String CONTENT = ".tar";
    static final String PART = ".part";

    private static final long FREE_BYTES = 1L << 26;
    private static final Duration ABANDONED = Duration.ofDays(1);

    private final Path directory;
    private final long limit;
    private final LongAdder evictions = new LongAdder();

    /** @param limit bytes; 0 for none */
    CacheSpace(Path directory, long limit) {
        this.directory = directory;
        this.limit = limit;
    }

    private record Item(Path file, long bytes, FileTime used) {
        boolean isShard() {
            return file.toString().endsWith(CONTENT);
        }
    }

    /**
     * What is in the folder.
     *
     * @param bytes parts of shards included
     */
    record Held(int shards, long bytes) {}

    /** Reads the whole folder, which takes a while where there are many shards. */
    Held held() throws IOException {
        int shards = 0;
        long bytes = 0;
        for (Path file : files()) {
            boolean content = file.toString().endsWith(CONTENT);
            if (content || file.toString().endsWith(PART)) {
                try {
                    bytes += Files.size(file);
                    shards += content ? 1 : 0;
                } catch (NoSuchFileException e) {
                    // Another process has just removed or renamed it.
                }
            }
        }
        return new Held(shards, bytes);
    }

    /** Shards that this process has removed. */
    long evictions() {
        return evictions.sum();
    }

    /** Marks a shard as used now. */
    static void touch(Path content) throws IOException {
        try {
            Files.getFileAttributeView(content, BasicFileAttributeView.class)
                    .setTimes(null, FileTime.from(Instant.now()), null);
        } catch (NoSuchFileException e) {
            // It has just gone; its reader holds it open or brings it in again.
        }
    }

    /**
     * Removes shards until there is room for {@code bytes} more, within the limit and on the disk.
     *
     * @param keep is not removed
     * @throws IOException one line, if the disk has no room although nothing is left to remove
     */
    void makeRoom(long bytes, Path keep) throws IOException {
        List<Item> items = items(keep);
        long held = items.stream().mapToLong(Item::bytes).sum() + sizeOrZero(keep);
        for (Item item : items) {
            if ((limit == 0 || held + bytes <= limit) && free() >= bytes + FREE_BYTES) {
                return;
            }
            if (Files.deleteIfExists(item.file) && item.isShard()) {
                evictions.increment();
            }
            held -= item.bytes;
        }
        if (free() < bytes) {
            throw new IOException("the disk of the cache " + directory + " has " + (free() >> 20) + " MiB left, but "
                    + (bytes >> 20) + " MiB are needed for a shard; free some space or choose another folder with"
                    + " data.cache.directory");
        }
    }

    /** Whether the disk has next to nothing left. */
    boolean isFull() throws IOException {
        return free() < FREE_BYTES;
    }

    private long free() throws IOException {
        return Files.getFileStore(directory).getUsableSpace();
    }

    private static long sizeOrZero(Path file) throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }

    /** Shards and parts of shards that nobody has touched for a day, the least recently used first. */
    private List<Item> items(Path keep) throws IOException {
        FileTime abandoned = FileTime.from(Instant.now().minus(ABANDONED));
        List<Item> items = new ArrayList<>();
        for (Path file : files()) {
            String name = file.getFileName().toString();
            boolean content = name.endsWith(CONTENT);
            if (!content && !name.endsWith(PART) || file.equals(keep)) {
                continue;
            }
            try {
                BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
                if (content || attributes.lastModifiedTime().compareTo(abandoned) < 0) {
                    items.add(new Item(file, attributes.size(), attributes.lastAccessTime()));
                }
            } catch (NoSuchFileException e) {
                // Another process has just removed or renamed it.
            }
        }
        items.sort(Comparator.comparing(Item::used));
        return items;
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> listing = Files.list(directory)) {
            return listing.toList();
        }
    }
}
