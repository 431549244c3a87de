package io.rasterflow.streams.feed;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Stream;
import net.openhft.chronicle.queue.RollCycle;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;
import net.openhft.chronicle.queue.rollcycles.LegacyRollCycles;

/**
 * Where the parts of a buffer lie, and its Chronicle Queue.
 *
 * <p>Chronicle begins a new file each cycle of time. Here the time is not the clock's: it is the number of the shard that is
 * being filled, in minutes. So shard k is cycle k and has a file of its own (named after minute k of 1970), sample i of it
 * has the index (k, i), and to delete a shard is to delete its file.
 */
final class FeedFiles {

    /** Minutes: 2^31 shards of up to 67 million samples; every 16th record is indexed. */
    static final RollCycle ROLL_CYCLE = LegacyRollCycles.MINUTELY;

    private static final DateTimeFormatter MINUTE = DateTimeFormatter.ofPattern("yyyyMMdd-HHmm", Locale.ROOT);
    /** A receiver that was killed leaves a half-written record: its successor waits this long, then goes on. */
    private static final long RECOVERY_MILLIS = 1_000;

    static {
        // Read once when Chronicle's classes load: neither posts to an analytics service nor watches the disk.
        System.setProperty("chronicle.analytics.disable", "true");
        System.setProperty("chronicle.disk.monitor.disable", "true");
        System.setProperty("chronicle.announcer.disable", "true");
    }

    private FeedFiles() {}

    /** What decides the cycle that Chronicle writes to. */
    interface FillingShard {
        long number();
    }

    static Path layout(Path directory) {
        return directory.resolve("feed.json");
    }

    static Path queue(Path directory) {
        return directory.resolve("queue");
    }

    static Path sealed(Path directory) {
        return directory.resolve("sealed");
    }

    static Path consumers(Path directory) {
        return directory.resolve("consumers");
    }

    static Path lock(Path directory) {
        return directory.resolve("receiver.lock");
    }

    static SingleChronicleQueue open(Path directory, FeedLayout layout, FillingShard filling, boolean readOnly) {
        return SingleChronicleQueueBuilder.binary(queue(directory))
                .rollCycle(ROLL_CYCLE)
                .timeProvider(() -> filling.number() * ROLL_CYCLE.lengthInMillis())
                .blockSize(layout.blockBytes())
                .timeoutMS(RECOVERY_MILLIS)
                .readOnly(readOnly)
                .build();
    }

    static long index(long shard, int sample) {
        return ROLL_CYCLE.toIndex(Math.toIntExact(shard), sample);
    }

    static Path shard(Path directory, long shard) {
        String name = LocalDateTime.ofEpochSecond(shard * 60, 0, ZoneOffset.UTC).format(MINUTE);
        return queue(directory).resolve(name + SingleChronicleQueue.SUFFIX);
    }

    /** The shards that have a file, sealed or not, in order. */
    static TreeMap<Long, Path> shards(Path directory) throws IOException {
        TreeMap<Long, Path> shards = new TreeMap<>();
        try (Stream<Path> files = Files.list(queue(directory))) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = file.getFileName().toString();
                if (name.endsWith(SingleChronicleQueue.SUFFIX)) {
                    try {
                        String minute = name.substring(0, name.length() - SingleChronicleQueue.SUFFIX.length());
                        shards.put(LocalDateTime.parse(minute, MINUTE).toEpochSecond(ZoneOffset.UTC) / 60, file);
                    } catch (DateTimeParseException e) {
                        continue; // Not one of ours.
                    }
                }
            }
        } catch (NoSuchFileException e) {
            return shards;
        }
        return shards;
    }

    /** The oldest shard that is kept, or {@code sealed} if none is. */
    static long oldestShard(Path directory, long sealed) throws IOException {
        TreeMap<Long, Path> shards = shards(directory);
        return shards.isEmpty() ? sealed : Math.min(sealed, shards.firstKey());
    }
}
