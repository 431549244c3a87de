package io.rasterflow.monitoring.journal;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.EventJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Consumer;
import net.openhft.chronicle.queue.ExcerptTailer;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.wire.DocumentContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one node's journal from its beginning to what is its end at that moment, {@linkplain JournalFiles file by file}. A file that
 * cannot be read any further is left for the next one and a record that is no event is skipped; the first of either is
 * logged. When following, it stays at the end and goes on from there when it is asked again.
 */
final class NodeJournal implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(NodeJournal.class);

    /** Not a constant, lest the compiler make the array of {@link #raiseFault} itself. */
    private static volatile int one = 1;

    /** No file has so many. */
    private static final long UNKNOWN = -1;

    private final Path folder;
    private final Consumer<String> damaged;
    private final Deque<Integer> cycles;
    private final boolean following;
    private final boolean samples;
    private SingleChronicleQueue queue;
    private ExcerptTailer tailer;
    private int cycle = Integer.MIN_VALUE;
    /** Records of this file that were read. */
    private long taken;
    /** Whether this file could not be read any further. */
    private boolean failed;
    /** Bytes of it at that time. */
    private long failedBytes;

    private boolean reported;

    /**
     * @param damaged is told the first thing that is wrong with it
     * @param following whether to wait at the end for more
     * @param samples whether the ledger of samples (leases and commits) is read as well: most of a journal
     */
    NodeJournal(Path folder, Consumer<String> damaged, boolean following, boolean samples) throws IOException {
        this.folder = folder;
        this.damaged = damaged;
        this.following = following;
        this.samples = samples;
        this.cycles = new ArrayDeque<>(JournalFiles.of(folder).keySet());
    }

    /** The next event, or null at the end. */
    Event next() {
        while (tailer != null || nextFile() || grown()) {
            byte[] record = nextRecord();
            if (record == null && following && !failed) {
                if (!laterFiles()) {
                    return null;
                }
                // What was written before the later file was begun.
                record = nextRecord();
            }
            if (record == null) {
                closeTailer();
                continue;
            }
            taken++;
            if (!samples && EventJson.isSampleLedger(record)) {
                continue;
            }
            Optional<Event> event = decode(record);
            if (event.isPresent()) {
                return event.get();
            }
        }
        if (!following) {
            close();
        }
        return null;
    }

    private boolean nextFile() {
        while (laterFiles()) {
            cycle = cycles.remove();
            taken = 0;
            failed = false;
            if (following) {
                closeQueue(); // It may not know of a file that was begun after it was opened.
            }
            if (opened()) {
                return true;
            }
            begun();
        }
        return false;
    }

    /** A file that cannot be opened may have been begun this moment: when following, it is tried at each call until it can. */
    private void begun() {
        failed = true;
        failedBytes = UNKNOWN;
    }

    private boolean opened() {
        try {
            if (found()) {
                return true;
            }
        } catch (Exception | Error e) { // Chronicle throws IOException without saying so.
            fail("a file of it cannot be read", e);
        }
        closeTailer();
        return false;
    }

    /** Whether there is another file; when following, looks for those that were begun since. */
    private boolean laterFiles() {
        if (following && cycles.isEmpty()) {
            try {
                cycles.addAll(JournalFiles.of(folder).tailMap(cycle, false).keySet());
            } catch (IOException e) {
                log.debug("{} cannot be listed", folder, e);
            }
        }
        return !cycles.isEmpty();
    }

    /**
     * Whether the file that could not be read any further has grown since; it is then open where that was. Its reader can be
     * ahead of its writer's next block.
     */
    private boolean grown() {
        if (!following || !failed || bytes() == failedBytes) {
            return false;
        }
        closeQueue();
        failed = false;
        if (!opened()) {
            begun();
            return false;
        }
        for (long record = 0; record < taken; record++) {
            if (nextRecord() == null) {
                closeTailer();
                return false;
            }
        }
        return true;
    }

    private long bytes() {
        try {
            Path file = JournalFiles.of(folder).get(cycle);
            return file == null ? 0 : Files.size(file);
        } catch (IOException e) {
            log.debug("{} has no file of cycle {}", folder, cycle, e);
            return 0;
        }
    }

    private boolean found() {
        try {
            if (queue == null) {
                queue = Queues.open(folder, JournalConfig.DEFAULT, true);
            }
            tailer = queue.createTailer();
            tailer.singleThreadedCheckDisabled(true);
            return tailer.moveToCycle(cycle);
        } finally {
            raiseFault();
        }
    }

    /** The next record of this file; null at its end, which is also where it is torn. */
    private byte[] nextRecord() {
        try {
            try (DocumentContext context = tailer.readingDocument()) {
                if (!context.isPresent() || queue.rollCycle().toCycle(context.index()) != cycle) {
                    return null;
                }
                var bytes = context.wire().bytes();
                byte[] record = new byte[Math.toIntExact(bytes.readRemaining())];
                bytes.read(record);
                return record;
            } finally {
                raiseFault();
            }
        } catch (Exception | Error e) { // As above.
            fail("a file of it cannot be read to its end", e);
            return null;
        }
    }

    /**
     * At a mapped page that is missing, because the file was cut short, the JVM reads whatever, goes on and throws when the thread
     * next comes back from the JVM's own code. Arrays of arrays are always made there, so that it throws here and not in
     * whatever follows.
     *
     * @return nothing that matters
     * @throws InternalError if a page was missing
     */
    private static int raiseFault() {
        return new byte[one][one].length;
    }

    private Optional<Event> decode(byte[] record) {
        try {
            return EventJson.read(record);
        } catch (IOException e) {
            report("a record of it is skipped", e);
            return Optional.empty();
        }
    }

    private void fail(String what, Throwable cause) {
        failed = true;
        failedBytes = bytes();
        report(what, cause);
    }

    private void report(String what, Throwable cause) {
        if (!reported) {
            reported = true;
            damaged.accept(what);
            log.warn("the journal {} is damaged: {} ({})", folder, what, cause.toString());
        }
    }

    private void closeTailer() {
        try {
            if (tailer != null) {
                tailer.close();
            }
        } catch (RuntimeException e) {
            log.debug("closing {}", folder, e);
        }
        tailer = null;
    }

    @Override
    public void close() {
        cycles.clear();
        closeQueue();
    }

    private void closeQueue() {
        closeTailer();
        try {
            if (queue != null) {
                queue.close();
            }
        } catch (RuntimeException e) {
            log.debug("closing {}", folder, e);
        }
        queue = null;
    }
}
