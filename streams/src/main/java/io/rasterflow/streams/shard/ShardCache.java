package io.rasterflow.streams.shard;

import io.rasterflow.streams.curate.CurationConfig;
import io.rasterflow.streams.curate.NearDuplicate;
import io.rasterflow.streams.curate.Scan;
import io.rasterflow.streams.curate.ShardScanner;
import io.rasterflow.streams.format.Damage;
import io.rasterflow.streams.format.FolderSlice;
import io.rasterflow.streams.format.LabelRule;
import io.rasterflow.streams.format.ShardFormat;
import io.rasterflow.streams.metrics.PipelineMetrics;
import io.rasterflow.streams.storage.AtomicFile;
import io.rasterflow.streams.storage.Checksum;
import io.rasterflow.streams.storage.ObjectInfo;
import io.rasterflow.streams.storage.Storage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder with the index of every shard, and the samples of those shards that cannot be read where they lie, each as one
 * plain tar.
 *
 * <pre>
 *  STEM-HASH-C.idx  index under a curation C, kept for ever
 *  STEM-HASH.tar    content, evicted ({@link CacheSpace})
 *  STEM-HASH.part   what has come so far of a remote shard; the next attempt goes on from there
 *  .fill-N.lock     {@link FillLock}
 * </pre>
 *
 * The hash is that of the shard's name, size and version: a changed shard is never mistaken for the old one. Files with
 * their final names are whole: they appear by renaming.
 */
final class ShardCache {

    private static final Duration ABANDONED = Duration.ofDays(1);
    private static final int HASH_BYTES = 10;
    private static final int NOTED_SHARDS = 100;
    private static final String INDEX = ".idx";
    private static final Pattern ENDING = Pattern.compile("(?i)(\\.(tar|gz|tgz|zst|parquet))+$");
    private static final Logger LOG = LoggerFactory.getLogger(ShardCache.class);

    private final Path directory;
    private final CacheConfig config;
    private final Storage storage;
    private final ShardScanner scanner;
    private final boolean takesAll;
    private final Damaged damaged;
    private final CacheSpace space;
    private final PipelineMetrics metrics = new PipelineMetrics();
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();

    /** What was found at the first look: a remote shard must not change while it is in use. */
    private final Map<ShardRef, ObjectInfo> known = new ConcurrentHashMap<>();

    private final Map<ShardRef, Damage> damages = new ConcurrentHashMap<>();
    private final Map<ShardRef, SortedMap<String, Integer>> leftOut = new ConcurrentHashMap<>();
    /** Of the first shards that have any. */
    private final Map<ShardRef, List<NearDuplicate>> duplicates = new ConcurrentHashMap<>();

    /** Creates the folder if need be and clears away what killed processes left there more than a day ago. */
    ShardCache(DataConfig config, Storage storage) throws IOException {
        this.config = config.cache();
        this.directory = Path.of(config.cache().directory());
        this.storage = storage;
        this.scanner = new ShardScanner(config.curate(), new LabelRule(config.labelField()));
        this.takesAll = config.curate().equals(CurationConfig.NONE);
        this.damaged = config.damaged();
        this.space = new CacheSpace(directory, config.cache().bytes());
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new IOException(
                    "cannot create the cache folder " + directory + " (" + e
                            + "); choose another with data.cache.directory",
                    e);
        }
        removeAbandoned();
    }

    /**
     * A shard that is ready for random access.
     *
     * @param content plain tar (the shard itself or its copy in the cache), or folder of the image files
     */
    record Prepared(Path content, ShardIndex index) {}

    private record Place(ShardRef shard, String name, Path content, Path index) {

        boolean cached() {
            return content.toString().endsWith(CacheSpace.CONTENT)
                    && shard.file().filter(content::equals).isEmpty();
        }
    }

    /** What was found wrong with a shard that has been looked at; null if nothing. */
    Damage damageOrNull(ShardRef shard) {
        return damages.get(shard);
    }

    /** What was left out of a shard that has been looked at, by cause. */
    SortedMap<String, Integer> leftOut(ShardRef shard) {
        return leftOut.getOrDefault(shard, Collections.emptySortedMap());
    }

    /** Near-duplicates of a shard that has been looked at, as far as they were noted. */
    List<NearDuplicate> duplicates(ShardRef shard) {
        return duplicates.getOrDefault(shard, List.of());
    }

    /** Whether anything can be left out. */
    boolean curates() {
        return !takesAll;
    }

    private void note(ShardRef shard, ShardIndex index) {
        index.damage().ifPresent(damage -> damages.put(shard, damage));
        if (!index.leftOut().isEmpty()) {
            leftOut.put(shard, index.leftOut());
        }
        if (!index.duplicates().isEmpty() && duplicates.size() < NOTED_SHARDS) {
            duplicates.put(shard, index.duplicates());
        }
    }

    PipelineMetrics metrics() {
        return metrics;
    }

    /** Reads the whole folder. */
    CacheUsage usage() throws IOException {
        CacheSpace.Held held = space.held();
        return new CacheUsage(
                config,
                held.bytes(),
                held.shards(),
                hits.sum(),
                misses.sum(),
                space.evictions(),
                metrics.fetch().snapshot().depth(),
                storage.metrics().total());
    }

    /** Samples in a shard: by its manifest where nothing is left out, or else by its index. */
    int count(ShardRef shard) throws IOException {
        return shard.samples() >= 0 && takesAll ? shard.samples() : index(shard).count();
    }

    /** The index of a shard; its content is brought in only if there is none yet. */
    ShardIndex index(ShardRef shard) throws IOException {
        ShardIndex index = indexOrNull(place(shard));
        return index != null ? index : prepare(shard).index();
    }

    /** Makes sure that a shard can be read at random: indexed, and its content on this machine. */
    Prepared prepare(ShardRef shard) throws IOException {
        Place place = place(shard);
        Prepared ready = readyOrNull(place);
        if (ready != null) {
            if (place.cached()) {
                hits.increment();
            }
            return ready;
        }
        try (FillLock lock = FillLock.acquire(directory, place.name, config.lockMillis())) {
            ready = readyOrNull(place);
            return ready != null ? ready : fill(place);
        }
    }

    private Prepared readyOrNull(Place place) throws IOException {
        ShardIndex index = indexOrNull(place);
        if (index == null || !isWhole(place, index)) {
            return null;
        }
        if (place.cached()) {
            CacheSpace.touch(place.content);
        }
        return new Prepared(place.content, index);
    }

    /** Null if there is none, or one of a shard that was damaged although damaged shards are refused. */
    private ShardIndex indexOrNull(Place place) throws IOException {
        ShardIndex index = ShardIndex.readOrNull(place.index);
        if (index != null) {
            note(place.shard, index);
        }
        boolean usable = index != null
                && index.fingerprint() == scanner.fingerprint()
                && (index.damage().isEmpty() || damaged == Damaged.QUARANTINE);
        return usable ? index : null;
    }

    private static boolean isWhole(Place place, ShardIndex index) throws IOException {
        if (place.shard.slice().isPresent()) {
            return true;
        }
        try {
            return Files.size(place.content) == index.tarBytes();
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private Prepared fill(Place place) throws IOException {
        Optional<ShardIndex> known = place.cached() ? knownContent(place) : Optional.empty();
        Optional<Damage> damage = known.flatMap(ShardIndex::damage);
        if (place.cached() && known.isEmpty()) {
            long start = System.nanoTime();
            misses.increment();
            metrics.fetch().enter();
            try {
                damage = bringInOrMakeRoom(place);
            } catch (IOException | RuntimeException e) {
                metrics.fetch().abandon();
                throw e;
            }
            metrics.fetch().leave(Files.size(place.content), System.nanoTime() - start);
        }
        ShardIndex index = indexOrNull(place);
        if (index == null || !isWhole(place, index)) {
            index = makeIndex(place, damage);
        }
        return new Prepared(place.content, index);
    }

    /** An index, perhaps under another curation, that fits the content in the cache: only then is that to be trusted. */
    private Optional<ShardIndex> knownContent(Place place) throws IOException {
        if (!Files.exists(place.content)) {
            return Optional.empty();
        }
        List<Path> indexes;
        try (Stream<Path> listing = Files.list(directory)) {
            indexes = listing.filter(file -> {
                        String name = file.getFileName().toString();
                        return name.startsWith(place.name + "-") && name.endsWith(INDEX);
                    })
                    .toList();
        }
        for (Path file : indexes) {
            ShardIndex index = ShardIndex.readOrNull(file);
            if (index != null && isWhole(place, index)) {
                return Optional.of(index);
            }
        }
        return Optional.empty();
    }

    private ShardIndex makeIndex(Place place, Optional<Damage> damage) throws IOException {
        ShardRef shard = place.shard;
        Scan scan;
        long bytes = 0;
        if (shard.slice().isPresent()) {
            scan = scanner.scan(shard.slice().get());
        } else {
            bytes = Files.size(place.content);
            scan = damaged == Damaged.QUARANTINE
                    ? scanner.salvage(place.content, shard.name(), damage)
                    : scanner.scan(place.content, shard.name());
        }
        ShardIndex made = ShardIndex.of(scan, bytes, scanner.fingerprint());
        AtomicFile.write(place.index, made::write);
        note(shard, made);
        return made;
    }

    /** Another process may have filled the disk since there was room: once more with fewer shards in the cache. */
    private Optional<Damage> bringInOrMakeRoom(Place place) throws IOException {
        try {
            return bringIn(place);
        } catch (IOException e) {
            if (!space.isFull()) {
                throw e;
            }
            LOG.warn("the disk of the cache {} is full; the least recently used shards go", directory);
            return bringIn(place);
        }
    }

    /** Returns where a compressed shard is damaged, if it is and that does not matter. */
    private Optional<Damage> bringIn(Place place) throws IOException {
        ShardRef shard = place.shard;
        if (shard.file().isPresent()) {
            Path file = shard.file().get();
            return expand(file, place, ShardFormat.detect(file, shard.name()));
        }
        ObjectInfo object = object(shard);
        Path part = directory.resolve(place.name + CacheSpace.PART);
        space.makeRoom(Math.max(0, object.bytes() - sizeOrZero(part)), part);
        storage.fetch(object, part);
        try {
            ShardFormat format = ShardFormat.detect(part, shard.name());
            if (format.plain()) {
                Files.move(part, place.content, StandardCopyOption.ATOMIC_MOVE);
                return Optional.empty();
            }
            return expand(part, place, format);
        } finally {
            Files.deleteIfExists(part); // What has come whole and still cannot be read would not get better.
        }
    }

    private Optional<Damage> expand(Path file, Place place, ShardFormat format) throws IOException {
        space.makeRoom(Files.size(file), file);
        AtomicReference<Optional<Damage>> damage = new AtomicReference<>(Optional.empty());
        AtomicFile.write(place.content, out -> {
            if (damaged == Damaged.QUARANTINE) {
                damage.set(format.salvage(file, place.shard.name(), out));
            } else {
                format.expand(file, place.shard.name(), out);
            }
        });
        space.makeRoom(0, place.content);
        return damage.get();
    }

    private static long sizeOrZero(Path file) throws IOException {
        return Files.exists(file) ? Files.size(file) : 0;
    }

    private Place place(ShardRef shard) throws IOException {
        MessageDigest digest = sha256();
        String stem;
        Path content = null;
        if (shard.slice().isPresent()) {
            FolderSlice slice = shard.slice().get();
            stem = String.valueOf(slice.root().getFileName()) + "-" + slice.number();
            content = slice.root();
            digest.update(slice.root().toString().getBytes(StandardCharsets.UTF_8));
            slice.entries()
                    .forEach(entry -> digest.update(
                            ("\n" + entry.key() + "\n" + entry.length()).getBytes(StandardCharsets.UTF_8)));
        } else if (shard.file().isPresent()) {
            Path file = shard.file().get();
            BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
            stem = file.getFileName().toString();
            digest.update((file.toAbsolutePath().normalize() + "\n" + attributes.size() + "\n"
                            + attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS))
                    .getBytes(StandardCharsets.UTF_8));
            content = ShardFormat.detect(file, shard.name()).plain() ? file : null;
        } else {
            ObjectInfo object = object(shard);
            stem = shard.name().substring(shard.name().lastIndexOf('/') + 1);
            digest.update((shard.name() + "\n" + object.bytes() + "\n" + object.version() + "\n" + shard.sha256())
                    .getBytes(StandardCharsets.UTF_8));
        }
        String name = ENDING.matcher(stem).replaceFirst("").replaceAll("[^A-Za-z0-9._-]", "_") + "-"
                + HexFormat.of().formatHex(Arrays.copyOf(digest.digest(), HASH_BYTES));
        return new Place(
                shard,
                name,
                content == null ? directory.resolve(name + CacheSpace.CONTENT) : content,
                directory.resolve(name + "-" + Long.toHexString(scanner.fingerprint()) + INDEX));
    }

    /** What the manifest says of a remote shard, or the store did at the first look. */
    private ObjectInfo object(ShardRef shard) throws IOException {
        ObjectInfo object = known.get(shard);
        if (object == null) {
            object = shard.sha256().isEmpty()
                    ? storage.stat(shard.uri())
                    : new ObjectInfo(
                            shard.uri(),
                            shard.bytes(),
                            "",
                            Optional.of(new Checksum(Checksum.Algorithm.SHA256, shard.sha256())));
            known.put(shard, object);
        }
        return object;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
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
