package io.rasterflow.streams.shard;

import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.memory.BufferPool;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A list of shards with known sample counts and random access to the samples. Safe for use by many threads. Only the
 * most recently used shards are held open, with their indexes in memory.
 */
public final class DataSet implements AutoCloseable {

    private static final int MAX_OPEN_SHARDS = 128;

    private final ShardCache cache;
    private final List<Path> shards;
    private final int[] counts;
    private final long size;
    private final BufferPool buffers = new BufferPool();
    private final Map<Integer, OpenShard> open = new LinkedHashMap<>(16, 0.75f, true);
    private boolean closed;

    private DataSet(ShardCache cache, List<Path> shards, int[] counts, long size) {
        this.cache = cache;
        this.shards = List.copyOf(shards);
        this.counts = counts;
        this.size = size;
    }

    /**
     * Indexes the shards that the patterns name, and expands the compressed ones, as far as the cache does not hold them.
     *
     * @param patterns see {@link ShardPattern}
     * @param cacheDir folder for indexes and expanded shards; made if missing, may be shared by processes
     * @throws IOException one line that names the shard and the offset, or the missing file
     * @throws IllegalArgumentException if the patterns name nothing or the shards hold no sample
     */
    public static DataSet open(List<String> patterns, Path cacheDir) throws IOException {
        if (patterns.isEmpty()) {
            throw new IllegalArgumentException("data.train is empty; name a shard, a range or a folder");
        }
        List<Path> shards = new ArrayList<>();
        for (String pattern : patterns) {
            shards.addAll(ShardPattern.expand(pattern));
        }
        ShardCache cache = new ShardCache(cacheDir);
        int[] counts = new int[shards.size()];
        long size = 0;
        for (int s = 0; s < counts.length; s++) {
            counts[s] = cache.prepare(shards.get(s)).index().count();
            size += counts[s];
        }
        if (size == 0) {
            throw new IllegalArgumentException(
                    "no images in " + String.join(", ", patterns) + "; a shard must hold KEY.png or KEY.jpg files");
        }
        return new DataSet(cache, shards, counts, size);
    }

    /** The shards in order. */
    public List<Path> shards() {
        return shards;
    }

    /** Samples in each shard. */
    public int[] sampleCounts() {
        return counts.clone();
    }

    /** Samples in all shards together. */
    public long size() {
        return size;
    }

    /** The native buffers of all batches that come from this data set. */
    public BufferPool buffers() {
        return buffers;
    }

    /**
     * Reads one sample.
     *
     * @throws IOException if the shard cannot be read, one line with shard and offset
     * @throws IllegalStateException after {@link #close}
     */
    public RawSample read(int shard, int sample) throws IOException {
        OpenShard file = acquire(shard);
        try {
            SampleEntry entry = file.index.entry(sample);
            byte[] bytes = new byte[entry.length()];
            ByteBuffer target = ByteBuffer.wrap(bytes);
            while (target.hasRemaining()) {
                if (file.channel.read(target, entry.offset() + target.position()) < 0) {
                    throw new EOFException(shards.get(shard) + " at byte " + (entry.offset() + target.position())
                            + ": the file was cut short while in use; restore it");
                }
            }
            return new RawSample(bytes, entry.label(), entry.key(), entry.offset());
        } finally {
            release(file);
        }
    }

    /** Where a sample lies, without reading it. */
    public SampleEntry entry(int shard, int sample) throws IOException {
        OpenShard file = acquire(shard);
        try {
            return file.index.entry(sample);
        } finally {
            release(file);
        }
    }

    private OpenShard acquire(int shard) throws IOException {
        synchronized (open) {
            if (closed) {
                throw new IllegalStateException("the data set is closed");
            }
            OpenShard file = open.get(shard);
            if (file != null && !file.channel.isOpen()) { // an interrupted thread closes the channel that it reads from
                open.remove(shard);
                file = null;
            }
            if (file == null) {
                ShardCache.Prepared prepared = cache.prepare(shards.get(shard));
                if (prepared.index().count() != counts[shard]) {
                    throw new IOException(shards.get(shard) + " changed while in use: it had " + counts[shard]
                            + " samples and now has " + prepared.index().count() + "; restore it or start again");
                }
                file = new OpenShard(FileChannel.open(prepared.tar(), StandardOpenOption.READ), prepared.index());
                open.put(shard, file);
                closeOldest();
            }
            file.users++;
            return file;
        }
    }

    private void release(OpenShard file) throws IOException {
        synchronized (open) {
            file.users--;
            if (file.evicted && file.users == 0) {
                file.channel.close();
            }
        }
    }

    private void closeOldest() throws IOException {
        if (open.size() > MAX_OPEN_SHARDS) {
            Iterator<OpenShard> oldest = open.values().iterator();
            OpenShard file = oldest.next();
            oldest.remove();
            evict(file);
        }
    }

    private static void evict(OpenShard file) throws IOException {
        file.evicted = true;
        if (file.users == 0) {
            file.channel.close();
        }
    }

    /** Closes the shards; reads that are under way end first. */
    @Override
    public void close() throws IOException {
        synchronized (open) {
            closed = true;
            for (OpenShard file : open.values()) {
                evict(file);
            }
            open.clear();
        }
    }

    private static final class OpenShard {
        private final FileChannel channel;
        private final ShardIndex index;
        private int users;
        private boolean evicted;

        private OpenShard(FileChannel channel, ShardIndex index) {
            this.channel = channel;
            this.index = index;
        }
    }
}
