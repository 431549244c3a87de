package io.rasterflow.streams.shard;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The right to bring a shard into the cache: one thread of one process on the machine at a time. There are a few empty lock
 * files, each for all shards whose names hash to it. The operating system takes the lock back from a process that is
 * killed, so none can be stale.
 */
final class FillLock implements AutoCloseable {

    private static final int FILES = 64;
    private static final long POLL_MILLIS = 20;

    /** A file lock belongs to the whole process, and is lost with any channel on its file: its threads queue here. */
    private static final Map<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

    private final ReentrantLock thread;
    private final FileChannel channel;

    private FillLock(ReentrantLock thread, FileChannel channel) {
        this.thread = thread;
        this.channel = channel;
    }

    /**
     * Waits for the lock.
     *
     * @param name of the shard in the cache
     * @throws IOException one line, if it is held elsewhere for longer than {@code waitMillis}, or the thread is interrupted
     */
    static FillLock acquire(Path directory, String name, long waitMillis) throws IOException {
        Path file = directory.resolve(".fill-" + Math.floorMod(name.hashCode(), FILES) + ".lock");
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMillis);
        ReentrantLock thread = THREADS.computeIfAbsent(file.toAbsolutePath(), path -> new ReentrantLock());
        try {
            if (!thread.tryLock(waitMillis, TimeUnit.MILLISECONDS)) {
                throw busy(file, name, waitMillis);
            }
        } catch (InterruptedException e) {
            throw interrupted(name, e);
        }
        FileChannel channel = null;
        FileLock lock = null;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            for (lock = channel.tryLock(); lock == null; lock = channel.tryLock()) {
                if (System.nanoTime() > deadline) {
                    throw busy(file, name, waitMillis);
                }
                TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
            }
            return new FillLock(thread, channel);
        } catch (InterruptedException e) {
            throw interrupted(name, e);
        } finally {
            if (lock == null) {
                if (channel != null) {
                    channel.close();
                }
                thread.unlock();
            }
        }
    }

    private static IOException busy(Path file, String name, long waitMillis) {
        return new IOException(name + " has been brought into the cache by another process for " + waitMillis / 1000
                + " s without an end (" + file + "); stop that process or raise data.cache.lockMillis");
    }

    private static IOException interrupted(String name, InterruptedException e) {
        Thread.currentThread().interrupt();
        return new IOException("interrupted while waiting for " + name, e);
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            thread.unlock();
        }
    }
}
