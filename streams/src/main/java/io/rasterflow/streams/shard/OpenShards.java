package io.rasterflow.streams.shard;

import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.format.ShardFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The shards that a data set holds open. Safe for use by many threads. */
final class OpenShards implements AutoCloseable {

    private static final int MAX_OPEN = 128;
    private static final int MAX_TRIES = 3;
    private static final int MAX_SAMPLE_BYTES = 1 << 28;
    private static final String ADVICE = "restore the shard";

    private final ShardCache cache;
    private final List<ShardRef> shards;
    private final int[] counts;
    private final Map<Integer, OpenShard> open = new LinkedHashMap<>(16, 0.75f, true);
    private boolean closed;

    OpenShards(ShardCache cache, List<ShardRef> shards, int[] counts) {
        this.cache = cache;
        this.shards = shards;
        this.counts = counts;
    }

    RawSample read(int shard, int sample) throws IOException {
        OpenShard file = acquire(shard);
        try {
            SampleEntry entry = file.index.entry(sample);
            if (entry.length() > MAX_SAMPLE_BYTES) {
                throw new ShardFormatException(
                        shards.get(shard).name(),
                        entry.offset(),
                        entry.key() + " has " + entry.length() + " bytes, more than the limit of " + MAX_SAMPLE_BYTES,
                        "leave it out");
            }
            return new RawSample(
                    file.read(shards.get(shard).name(), entry), entry.label(), entry.key(), entry.offset());
        } finally {
            release(file);
        }
    }

    SampleEntry entry(int shard, int sample) throws IOException {
        OpenShard file = acquire(shard);
        try {
            return file.index.entry(sample);
        } finally {
            release(file);
        }
    }

    private OpenShard acquire(int shard) throws IOException {
        OpenShard file = openOrNull(shard);
        for (int attempt = 1; file == null; attempt++) {
            // Not under the lock: to bring a shard in may take minutes, and other threads read others.
            ShardCache.Prepared prepared = cache.prepare(shards.get(shard));
            if (prepared.index().count() != counts[shard]) {
                throw new IOException(
                        shards.get(shard).name() + " has " + prepared.index().count()
                                + " samples, but " + counts[shard] + " were counted before or stand in its manifest; "
                                + "restore it, or index it again and start again");
            }
            try {
                file = add(shard, prepared);
            } catch (NoSuchFileException e) {
                if (attempt == MAX_TRIES) {
                    throw new IOException(
                            prepared.content() + " was removed " + MAX_TRIES
                                    + " times before it could be read: the cache is too small for what is in use; raise"
                                    + " data.cache.bytes or lower data.stream.windowShards",
                            e);
                }
            }
        }
        return file;
    }

    private OpenShard openOrNull(int shard) throws IOException {
        synchronized (open) {
            if (closed) {
                throw new IllegalStateException("the data set is closed");
            }
            OpenShard file = open.get(shard);
            if (file != null && file.isLost()) { // an interrupted thread closes the channel that it reads from
                open.remove(shard);
                file = null;
            }
            if (file != null) {
                file.users++;
            }
            return file;
        }
    }

    private OpenShard add(int shard, ShardCache.Prepared prepared) throws IOException {
        synchronized (open) {
            OpenShard file = openOrNull(shard); // Another thread may have been faster.
            if (file == null) {
                file = new OpenShard(prepared);
                file.users++;
                open.put(shard, file);
                closeSome();
            }
            return file;
        }
    }

    private void release(OpenShard file) throws IOException {
        synchronized (open) {
            file.users--;
            if (file.evicted && file.users == 0) {
                file.close();
            }
        }
    }

    /** The least recently used beyond the limit, and those that the cache has given up: open they would fill the disk. */
    private void closeSome() throws IOException {
        Iterator<OpenShard> oldest = open.values().iterator();
        int excess = open.size() - MAX_OPEN;
        while (oldest.hasNext()) {
            OpenShard file = oldest.next();
            if (excess > 0 || file.users == 0 && Files.notExists(file.content)) {
                oldest.remove();
                evict(file);
                excess--;
            }
        }
    }

    private static void evict(OpenShard file) throws IOException {
        file.evicted = true;
        if (file.users == 0) {
            file.close();
        }
    }

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

    /** A plain tar, or a folder of images, which needs no channel. */
    private static final class OpenShard {
        private final Path content;
        private final ShardIndex index;
        private final FileChannel channel;
        private int users;
        private boolean evicted;

        private OpenShard(ShardCache.Prepared prepared) throws IOException {
            this.content = prepared.content();
            this.index = prepared.index();
            this.channel = Files.isDirectory(content) ? null : FileChannel.open(content, StandardOpenOption.READ);
        }

        private boolean isLost() {
            return channel != null && !channel.isOpen();
        }

        private void close() throws IOException {
            if (channel != null) {
                channel.close();
            }
        }

        private byte[] read(String shard, SampleEntry entry) throws IOException {
            if (channel == null) {
                try (FileChannel file = FileChannel.open(content.resolve(entry.key()), StandardOpenOption.READ)) {
                    return read(file, 0, shard, entry);
                } catch (NoSuchFileException e) {
                    throw new ShardFormatException(shard, 0, entry.key() + " is there no more", "restore it");
                }
            }
            return read(channel, entry.offset(), shard, entry);
        }

        private static byte[] read(FileChannel from, long offset, String shard, SampleEntry entry) throws IOException {
            byte[] bytes = new byte[entry.length()];
            ByteBuffer target = ByteBuffer.wrap(bytes);
            while (target.hasRemaining()) {
                if (from.read(target, offset + target.position()) < 0) {
                    throw new ShardFormatException(
                            shard,
                            offset + target.position(),
                            "the file was cut short within " + entry.key() + " while in use",
                            ADVICE);
                }
            }
            return bytes;
        }
    }
}
