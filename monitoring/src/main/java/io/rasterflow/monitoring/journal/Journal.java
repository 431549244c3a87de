package io.rasterflow.monitoring.journal;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.EventJson;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one node saw, in order: a Chronicle Queue in {@code RUN/journal/NODE/} of {@linkplain EventJson JSON records}.
 * A record is in the page cache when {@link #append} returns, so it survives the death of the process by whatever
 * signal (not the loss of power). Appending is thread-safe and never throws: training goes on when the disk is full, and
 * the records that were lost are counted and reported once.
 */
public final class Journal implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(Journal.class);
    /** Free space is asked for once per so many appended bytes: a system call per record would cost more than it. */
    private static final long CHECK_EVERY_BYTES = 1 << 18;
    /** A failure that took as long as this waited for a lock that nobody will give back. */
    private static final long HANGING_NANOS = (Queues.LOCK_MILLIS - 100) * 1_000_000;

    /** How the name of a journal ends that was damaged when its node opened it again. */
    public static final Pattern SET_ASIDE = Pattern.compile("\\.damaged-\\d+$");

    private final Path folder;
    private final JournalConfig config;
    private final FileStore disk;
    private final SingleChronicleQueue queue;
    private final ExcerptAppender appender;
    private final AtomicLong appended = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private final AtomicBoolean reported = new AtomicBoolean();
    private long bytesUntilCheck;
    private int cycle;
    private volatile boolean broken;
    private boolean closed;

    private Journal(Path folder, JournalConfig config) throws IOException {
        this.folder = folder;
        this.config = config;
        this.disk = Files.getFileStore(folder);
        this.queue = Queues.open(folder, config, false);
        try {
            this.appender = queue.createAppender();
            // Many actors append, one at a time under this object's lock.
            this.appender.singleThreadedCheckDisabled(true);
            trim();
        } catch (RuntimeException | Error e) {
            queue.close();
            throw e;
        }
    }

    /** As {@link #open(Path, String, JournalConfig)} with {@link JournalConfig#DEFAULT}. */
    public static Journal open(Path runDir, String node) throws IOException {
        return open(runDir, node, JournalConfig.DEFAULT);
    }

    /**
     * Opens the journal of a node for appending; an existing one is continued. A damaged one is set aside under
     * {@code NODE.damaged-MILLIS} (readers still read what can be read of it) and a new one begun.
     *
     * @param runDir the run directory; created when missing
     * @param node name of the node; characters that file names had better not have become {@code _}
     * @throws IOException when the folder cannot be created or written
     */
    public static Journal open(Path runDir, String node, JournalConfig config) throws IOException {
        String name = folderName(node);
        if (name.isEmpty() || name.startsWith(".")) {
            throw new IOException("cannot open a journal for the node '" + node + "': a name must begin with a letter,"
                    + " a digit, '_' or '-'");
        }
        Path folder = Queues.folder(runDir).resolve(name);
        createWritable(folder);
        try {
            return new Journal(folder, config);
        } catch (RuntimeException | Error e) {
            Path aside = folder.resolveSibling(name + ".damaged-" + System.currentTimeMillis());
            log.warn("the journal {} is damaged ({}); it is set aside as {}", folder, e.toString(), aside);
            Files.move(folder, aside);
            createWritable(folder);
            try {
                return new Journal(folder, config);
            } catch (RuntimeException | Error again) {
                throw new IOException("cannot open the journal " + folder + ": " + again, again);
            }
        }
    }

    /** Name of the folder of a node's journal. */
    public static String folderName(String node) {
        return node.replaceAll("[^A-Za-z0-9._-]", "_");
    }

    private static void createWritable(Path folder) throws IOException {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new IOException(
                    "cannot create the journal folder " + folder + ": " + reason(e)
                            + "; give a run directory that can be written",
                    e);
        }
        if (!Files.isWritable(folder)) {
            throw new IOException("cannot write the journal folder " + folder + "; check its permissions");
        }
    }

    private static String reason(Exception e) {
        return e.getClass().getSimpleName() + (e.getMessage() == null ? "" : " " + e.getMessage());
    }

    /**
     * Appends one event; returns when a killed process would no longer lose it.
     *
     * @return false when it was lost (disk full, journal closed); the first time is logged
     */
    public boolean append(Event event) {
        if (broken) {
            return lose("an earlier failure left it unusable", null);
        }
        long begun = 0;
        try {
            byte[] record = EventJson.write(event);
            synchronized (this) {
                if (closed) {
                    return lose("it is closed", null);
                }
                if (!hasRoom(record.length)) {
                    return lose(
                            "the disk has less than " + (config.reserveBytes() >> 20) + " MB free; free some space",
                            null);
                }
                begun = System.nanoTime();
                appender.writeBytes(bytes -> bytes.write(record));
                if (appender.cycle() != cycle) {
                    trim();
                }
            }
            appended.incrementAndGet();
            return true;
        } catch (RuntimeException | Error e) {
            // InternalError is how the JVM reports a mapped page that the disk could not back. It leaves the queue's
            // lock held: whoever appends next would wait for it, and training with him.
            broken = broken || e instanceof Error || begun != 0 && System.nanoTime() - begun > HANGING_NANOS;
            return lose(e.toString(), e);
        }
    }

    /** With every new file, what need not be kept goes. */
    private void trim() {
        cycle = appender.cycle();
        try {
            JournalFiles.trim(folder, config.retention(), System.currentTimeMillis());
        } catch (IOException | UncheckedIOException e) { // A listing may fail half-way.
            log.warn("old files of the journal {} cannot be deleted: {}", folder, reason(e));
        }
    }

    private boolean hasRoom(int bytes) {
        bytesUntilCheck -= bytes;
        if (bytesUntilCheck < 0) {
            try {
                if (disk.getUsableSpace() < config.reserveBytes()) {
                    return false;
                }
            } catch (IOException e) {
                // A file system that cannot tell its free space is written to until it refuses.
                log.debug("cannot tell the free space of {}", folder, e);
            }
            bytesUntilCheck = CHECK_EVERY_BYTES;
        }
        return true;
    }

    private boolean lose(String why, Throwable cause) {
        lost.incrementAndGet();
        if (reported.compareAndSet(false, true)) {
            log.error("the journal {} loses events: {}. Training goes on; this is said once", folder, why);
            log.debug("the first event that {} lost", folder, cause);
        }
        return false;
    }

    /** Events appended by this process. */
    public long appended() {
        return appended.get();
    }

    /** Events that could not be appended. */
    public long lost() {
        return lost.get();
    }

    /** The folder of this node's journal. */
    public Path folder() {
        return folder;
    }

    /** Releases the files; events that come later are counted as lost. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            appender.close();
            queue.close();
        } catch (RuntimeException | Error e) {
            // On a full disk even the last bookkeeping can fault; what was appended is there.
            log.warn("the journal {} was not closed cleanly: {}", folder, e.toString());
        }
    }
}
