package io.rasterflow.streams.feed;

import io.rasterflow.streams.memory.MappedFaults;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.function.Supplier;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.wire.DocumentContext;

/**
 * Random access to the samples of a feed, while it is received or afterwards, by any number of threads and processes of the
 * machine. Reading deletes nothing: see {@link FeedConsumer}.
 */
public final class FeedReader implements AutoCloseable {

    private static final long POLL_MILLIS = 100;
    private static final int MAX_IDLE_TAILERS = 32;
    private static final long SWEEP_NANOS = 1_000_000_000;

    private final Path directory;
    private final Duration silence;
    private final FeedLayout layout;
    private final SingleChronicleQueue queue;

    /** Tailers that nobody uses, the most recent first; each keeps the file mapped that it read last. */
    private final ArrayDeque<Tailer> idle = new ArrayDeque<>();

    private volatile long sealedShards;
    private int used;
    private long swept = System.nanoTime();
    private boolean closed;

    private record Tailer(ExcerptTailer excerpts, long shard, Path file) {}

    private FeedReader(Path directory, Duration silence, FeedLayout layout, SingleChronicleQueue queue) {
        this.directory = directory;
        this.silence = silence;
        this.layout = layout;
        this.queue = queue;
    }

    /**
     * Opens a feed that a receiver has made; the receiver need not run.
     *
     * @param silence how long a read waits while nothing arrives
     * @throws IOException one line that names the folder, if there is no feed or it cannot be read
     */
    public static FeedReader open(Path directory, Duration silence) throws IOException {
        FeedLayout layout = FeedLayout.read(directory);
        try {
            // The shard that is being filled matters to writers only.
            return new FeedReader(directory, silence, layout, FeedFiles.open(directory, layout, () -> 0, true));
        } catch (RuntimeException | Error e) {
            throw new IOException("cannot read the feed " + directory + ": " + e, e);
        }
    }

    /** S samples in every shard. */
    public int shardSamples() {
        return layout.shardSamples();
    }

    /** Shards 0 … n-1 are complete; the oldest of them may have been deleted. */
    public long sealedShards() throws IOException {
        sealedShards = SealedShards.count(directory);
        return sealedShards;
    }

    /** The oldest shard that is kept; as {@link #sealedShards} if none is. */
    public long oldestShard() throws IOException {
        return FeedFiles.oldestShard(directory, sealedShards());
    }

    /** As {@link #read(long, int)}, by the number of the sample. */
    public FeedSample read(long sequence) throws IOException {
        return read(sequence / shardSamples(), (int) (sequence % shardSamples()));
    }

    /**
     * Reads a sample; waits until its shard is sealed.
     *
     * @throws FeedSilentException if nothing arrives for too long meanwhile
     * @throws DeletedSampleException if it is no longer kept
     * @throws DamagedSampleException if it is not what arrived
     * @throws InterruptedIOException if the thread is interrupted, whose flag stays set
     * @throws IllegalStateException after {@link #close}, also if it comes while this waits
     */
    public FeedSample read(long shard, int sample) throws IOException {
        if (shard < 0 || sample < 0 || sample >= shardSamples()) {
            throw new IndexOutOfBoundsException(
                    "sample " + sample + " of shard " + shard + "; a shard has " + shardSamples());
        }
        if (shard >= sealedShards) {
            awaitSealed(shard);
        }
        Tailer tailer = acquire(shard);
        try {
            long sequence = start(shard) + sample;
            if (Files.notExists(tailer.file)) { // A file that was deleted can be read as long as it is mapped.
                requireKept(sequence);
            }
            return FeedRecord.read(record(tailer.excerpts, shard, sample), sequence)
                    .sample();
        } finally {
            release(tailer);
        }
    }

    private byte[] record(ExcerptTailer tailer, long shard, int sample) throws IOException {
        long sequence = shard * shardSamples() + sample;
        byte[] record;
        try {
            record = mapped("sample " + sequence + " of ", () -> recordOrNull(tailer, FeedFiles.index(shard, sample)));
        } catch (IOException e) {
            requireKept(sequence);
            throw e;
        }
        if (record == null) {
            requireKept(sequence);
            throw new DamagedSampleException(sequence, "its file ends before it");
        }
        return record;
    }

    private static byte[] recordOrNull(ExcerptTailer tailer, long index) {
        if (tailer.moveToIndex(index)) {
            try (DocumentContext context = tailer.readingDocument()) {
                if (context.isPresent()) {
                    var bytes = context.wire().bytes();
                    byte[] record = new byte[Math.toIntExact(bytes.readRemaining())];
                    bytes.read(record);
                    return record;
                }
            }
        }
        return null;
    }

    /**
     * Reads mapped files.
     *
     * @param part what is read of the feed, for messages
     * @throws IOException instead of all that Chronicle and the JVM throw
     */
    private <T> T mapped(String part, Supplier<T> reading) throws IOException {
        try {
            try {
                return reading.get();
            } finally {
                MappedFaults.raise();
            }
        } catch (RuntimeException | InternalError e) {
            throw new IOException(part + "the feed " + directory + " cannot be read: " + e, e);
        }
    }

    private void requireKept(long sequence) throws IOException {
        long oldest = oldestShard();
        if (sequence / shardSamples() < oldest) {
            throw new DeletedSampleException(sequence, oldest, shardSamples());
        }
    }

    private void awaitSealed(long shard) throws IOException {
        long arrived = 0;
        long since = System.nanoTime();
        while (sealedShards() <= shard) {
            long now = arrived(shard, arrived);
            if (now > arrived) {
                arrived = now;
                since = System.nanoTime();
            } else if (System.nanoTime() - since > silence.toNanos()) {
                throw new FeedSilentException(shard, Math.max(0, arrived - start(shard)), shardSamples(), silence);
            }
            pause();
        }
    }

    /** Looks no further than it must: whether the next sample of the shard that is being filled is there. */
    private long arrived(long shard, long known) throws IOException {
        long filling = sealedShards;
        long next = Math.max(known, start(filling));
        Tailer tailer = acquire(filling);
        try {
            return mapped("", () -> firstMissing(tailer.excerpts, filling, next));
        } finally {
            release(tailer);
        }
    }

    /** The first sample of a shard, from a sample of it on, that is not there; that of the next shard if all are. */
    private long firstMissing(ExcerptTailer tailer, long shard, long from) {
        long next = from;
        while (next < start(shard + 1) && tailer.moveToIndex(FeedFiles.index(shard, (int) (next - start(shard))))) {
            next++;
        }
        return next;
    }

    private long start(long shard) {
        return shard * shardSamples();
    }

    private void pause() throws InterruptedIOException {
        synchronized (idle) {
            requireOpen();
            try {
                idle.wait(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while waiting for the feed " + directory);
            }
            requireOpen();
        }
    }

    /** A tailer that is at that shard if there is one, else the one whose last use is longest ago. */
    private Tailer acquire(long shard) throws IOException {
        synchronized (idle) {
            requireOpen();
            sweep();
            Tailer found = null;
            for (Iterator<Tailer> tailers = idle.iterator(); found == null && tailers.hasNext(); ) {
                Tailer tailer = tailers.next();
                if (tailer.shard == shard) {
                    tailers.remove();
                    found = tailer;
                }
            }
            if (found == null) {
                ExcerptTailer excerpts =
                        idle.size() == MAX_IDLE_TAILERS ? idle.removeLast().excerpts : mapped("", queue::createTailer);
                // A tailer is used by one thread at a time, but not always by the same.
                excerpts.singleThreadedCheckDisabled(true);
                found = new Tailer(excerpts, shard, FeedFiles.shard(directory, shard));
            }
            used++;
            return found;
        }
    }

    private void release(Tailer tailer) {
        synchronized (idle) {
            used--;
            idle.notifyAll();
            if (closed || idle.size() == MAX_IDLE_TAILERS) {
                tailer.excerpts.close();
            } else {
                idle.addFirst(tailer);
            }
        }
    }

    /** The space of a deleted file is free only when nobody has it mapped. */
    private void sweep() {
        if (System.nanoTime() - swept > SWEEP_NANOS) {
            swept = System.nanoTime();
            idle.removeIf(tailer -> {
                boolean deleted = Files.notExists(tailer.file);
                if (deleted) {
                    tailer.excerpts.close();
                }
                return deleted;
            });
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the feed " + directory + " is closed");
        }
    }

    /** Ends reads that wait for a shard; those that copy a sample out of mapped memory end first. */
    @Override
    public void close() {
        boolean interrupted = false;
        synchronized (idle) {
            if (closed) {
                return;
            }
            closed = true;
            idle.notifyAll();
            while (used > 0) {
                try {
                    idle.wait();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            idle.forEach(tailer -> tailer.excerpts.close());
            idle.clear();
        }
        queue.close();
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
