package io.rasterflow.streams.feed;

import io.rasterflow.streams.feed.FeedConfig.Durability;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.wire.DocumentContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The buffer as its receiver sees it: appends images, seals shards, deletes the oldest. Used by one thread at a time, except
 * for {@link #usage}. After an {@code IOException} or an {@code Error} it is no longer to be used.
 */
final class FeedStore implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(FeedStore.class);
    /** Chronicle's tables at the start of a cycle file, and the rounding of its records. */
    private static final int FILE_BYTES = 64 << 10;

    /**
     * What the buffer holds.
     *
     * @param received images that ever arrived
     * @param bytes on disk
     */
    record Usage(long received, long sealedShards, long oldestShard, long bytes) {}

    private final FeedConfig config;
    private final FeedLayout layout;
    private final ReceiverLock lock;
    private final FileStore disk;
    private final SealedShards sealed;
    private final SingleChronicleQueue queue;
    private final ExcerptAppender appender;
    private final RecentArrivals recent = new RecentArrivals();

    private volatile long shard;
    private int inShard;
    private long shardBytes;
    private long oldest;
    private long sealedBytes;
    private FileChannel shardFile;
    private boolean unsynced;
    private volatile Usage usage;

    /** @throws IOException one line that names the folder and what is wrong with it */
    static FeedStore open(FeedConfig config) throws IOException {
        Path directory = config.directory();
        try {
            Files.createDirectories(FeedFiles.queue(directory));
        } catch (IOException e) {
            throw new IOException(
                    "cannot create the feed " + directory + " (" + e + "); choose another folder with --dir", e);
        }
        ReceiverLock lock = ReceiverLock.take(directory);
        try {
            return new FeedStore(config, lock);
        } catch (IOException | RuntimeException | Error e) {
            lock.close();
            if (e instanceof IOException failure) {
                throw failure;
            }
            throw new IOException("cannot open the feed " + directory + ": " + e, e);
        }
    }

    private FeedStore(FeedConfig config, ReceiverLock lock) throws IOException {
        this.config = config;
        this.lock = lock;
        this.disk = Files.getFileStore(config.directory());
        this.layout = layout(config);
        this.sealed = new SealedShards(config.directory());
        this.shard = sealed.count();
        this.queue = FeedFiles.open(config.directory(), layout, () -> shard, false);
        try {
            queue.refreshDirectoryListing();
            recover();
            this.appender = queue.createAppender();
            appender.singleThreadedCheckDisabled(true);
        } catch (IOException | RuntimeException | Error e) {
            queue.close();
            sealed.close();
            throw e;
        }
        publish();
    }

    private static FeedLayout layout(FeedConfig config) throws IOException {
        Path directory = config.directory();
        FeedLayout layout = FeedLayout.of(directory);
        FeedLayout wanted = config.layout().orElse(layout);
        if (!Files.exists(FeedFiles.layout(directory))) {
            wanted.write(directory);
        } else if (!wanted.equals(layout)) {
            throw new IOException(directory + " has " + layout + " but " + wanted
                    + " is wanted; choose another --dir, or leave --shard-samples and --max-image-bytes out");
        }
        return wanted;
    }

    /** Counts what is there; what a killed predecessor left unsealed although it is complete is sealed. */
    private void recover() throws IOException {
        TreeMap<Long, Path> files = FeedFiles.shards(config.directory());
        if (!files.isEmpty() && files.lastKey() > shard) {
            throw new IOException(FeedFiles.sealed(config.directory()) + " lists " + shard + " shards but there is "
                    + files.get(files.lastKey()) + "; restore it, or choose another --dir");
        }
        oldest = FeedFiles.oldestShard(config.directory(), shard);
        for (long k = oldest; k < shard; k++) {
            sealedBytes += sealed.bytes(k);
        }
        try (ExcerptTailer tailer = queue.createTailer()) {
            if (oldest < shard) {
                scan(tailer, shard - 1);
                recent.roll();
            }
            inShard = scan(tailer, shard);
        }
        if (inShard > 0) {
            openShardFile();
        }
        if (inShard == layout.shardSamples()) {
            seal();
        }
        log.debug("{} continues at sample {}", config.directory(), sequence());
    }

    /** Returns the number of records in a shard, and leaves their end in {@link #shardBytes}. */
    private int scan(ExcerptTailer tailer, long number) {
        shardBytes = 0;
        int count = 0;
        while (count < layout.shardSamples() && tailer.moveToIndex(FeedFiles.index(number, count))) {
            try (DocumentContext context = tailer.readingDocument()) {
                if (!context.isPresent()) {
                    break;
                }
                shardBytes = context.wire().bytes().readLimit();
                byte[] bytes = new byte[Math.toIntExact(context.wire().bytes().readRemaining())];
                context.wire().bytes().read(bytes);
                long sequence = number * layout.shardSamples() + count;
                FeedRecord.Stored stored = FeedRecord.read(bytes, sequence);
                recent.add(stored.id(), sequence, stored.sample().image());
            } catch (DamagedSampleException e) {
                log.warn("{}; readers will meet it", e.getMessage());
            }
            count++;
        }
        return count;
    }

    FeedLayout layout() {
        return layout;
    }

    /** As of the last {@link #commit}; for any thread. */
    Usage usage() {
        return usage;
    }

    /**
     * Appends an image, or finds the number that it was given before. It may be lost until {@link #commit}.
     *
     * @throws Refusal if there is no room, or its identifier stands for another image
     */
    Receipt append(Arrival arrival) throws Refusal, IOException {
        long taken = recent.find(arrival);
        if (taken >= 0) {
            return new Receipt(taken, true);
        }
        long sequence = sequence();
        String key = arrival.key().isEmpty() ? String.format(Locale.ROOT, "%012d", sequence) : arrival.key();
        FeedSample sample = new FeedSample(
                sequence, key, arrival.label(), arrival.caption(), System.currentTimeMillis(), arrival.image());
        byte[] head = FeedRecord.head(sample, arrival.id());
        makeRoom(head.length + arrival.image().length);
        write(head, arrival.image());
        recent.add(arrival.id(), sequence, arrival.image());
        if (inShard == layout.shardSamples()) {
            seal();
        }
        return new Receipt(sequence, false);
    }

    private void write(byte[] head, byte[] image) throws IOException {
        try (DocumentContext context = appender.writingDocument()) {
            context.wire().bytes().write(head).write(image);
        }
        if (appender.lastIndexAppended() != FeedFiles.index(shard, inShard)) {
            throw new IOException("sample " + sequence() + " came to lie in another place of " + config.directory()
                    + "; something else writes there");
        }
        shardBytes = appender.wire().bytes().writePosition();
        unsynced = true;
        if (inShard == 0) {
            openShardFile();
        }
        inShard++;
    }

    /** Through this channel the mapped pages are synced, because a failure to write them then is an exception. */
    private void openShardFile() throws IOException {
        shardFile = FileChannel.open(FeedFiles.shard(config.directory(), shard), StandardOpenOption.WRITE);
        try (FileChannel folder = FileChannel.open(FeedFiles.queue(config.directory()), StandardOpenOption.READ)) {
            folder.force(true);
        }
    }

    /** Returns when everything that was appended survives what {@link Durability} promises. */
    void commit() throws IOException {
        if (unsynced && config.durability() == Durability.DISK) {
            shardFile.force(true);
            unsynced = false;
        }
        publish();
    }

    private void seal() throws IOException {
        shardFile.force(true);
        shardFile.close();
        unsynced = false;
        sealed.append(shardBytes, System.currentTimeMillis() / 1000);
        sealedBytes += shardBytes;
        shardBytes = 0;
        inShard = 0;
        shard++;
        recent.roll();
    }

    /**
     * Deletes the oldest shards until an image has room.
     *
     * @throws Refusal if it has none
     */
    void makeRoom(int bytes) throws Refusal, IOException {
        long needed = bytes + (inShard == 0 ? FILE_BYTES : 64);
        while (bytes() + needed > config.maxBytes()) {
            if (!deleteOldest()) {
                throw new Refusal(
                        Refusal.Kind.FULL,
                        "the feed holds " + bytes() + " of its " + config.maxBytes() + " bytes and " + holder());
            }
        }
        while (disk.getUsableSpace() < config.reserveBytes() + needed) {
            if (!deleteOldest()) {
                throw new Refusal(
                        Refusal.Kind.FULL,
                        "the disk of the feed has less than " + (config.reserveBytes() >> 20) + " MB free");
            }
        }
    }

    private boolean deleteOldest() throws IOException {
        Optional<FeedConsumer.Progress> slowest = slowest();
        // The appender stays in the last sealed shard until it begins the next.
        long end = inShard > 0 ? shard : shard - 1;
        if (slowest.isEmpty() || oldest >= Math.min(slowest.get().firstShard(), end)) {
            return false;
        }
        Files.deleteIfExists(FeedFiles.shard(config.directory(), oldest));
        queue.refreshDirectoryListing();
        sealedBytes -= sealed.bytes(oldest);
        log.debug("{} deleted shard {}", config.directory(), oldest);
        oldest++;
        return true;
    }

    private String holder() throws IOException {
        Optional<FeedConsumer.Progress> slowest = slowest();
        if (slowest.isEmpty()) {
            return "no consumer is registered, so that nothing may be deleted";
        }
        return slowest.get().firstShard() >= shard
                ? "not even one more shard fits in; give it more --max-bytes"
                : "consumer '" + slowest.get().name() + "' still needs shard "
                        + slowest.get().firstShard();
    }

    private Optional<FeedConsumer.Progress> slowest() throws IOException {
        List<FeedConsumer.Progress> consumers = FeedConsumer.list(config.directory());
        return consumers.stream().min(Comparator.comparingLong(FeedConsumer.Progress::firstShard));
    }

    private long bytes() {
        return sealedBytes + shardBytes;
    }

    private long sequence() {
        return shard * layout.shardSamples() + inShard;
    }

    private void publish() {
        usage = new Usage(sequence(), shard, oldest, bytes());
    }

    @Override
    public void close() throws IOException {
        try (lock;
                sealed;
                FileChannel file = shardFile) {
            if (unsynced && file != null) {
                file.force(true);
            }
            appender.close();
            queue.close();
        }
    }
}
