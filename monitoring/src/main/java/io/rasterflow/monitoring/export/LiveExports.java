package io.rasterflow.monitoring.export;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.JournalFollower;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a run for other tools while it goes on. A thread of its own follows the journals, so that nobody waits for it however
 * slow a disk is, and nothing is kept in memory that it has not written yet. It begins with what the journals hold, so that
 * after a fail-over or a resume no row is missing or there twice. A file that cannot be written is given up with one line.
 */
public final class LiveExports implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(LiveExports.class);

    /** Events at a time. */
    private static final int PIECE = 10_000;

    private static final long PAUSE_MILLIS = 1_000;
    /** At the end. A disk that hangs shall not keep a node. */
    private static final long PATIENCE_MILLIS = 20_000;

    private final Path run;
    private final List<LiveFile> files = new ArrayList<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread thread = new Thread(this::follow, "live-exports");
    private final boolean samples;

    private LiveExports(Path run, Collection<ExportKind> kinds) {
        this.run = run;
        new TreeSet<>(kinds).forEach(kind -> files.add(new LiveFile(kind, run)));
        samples = kinds.stream().anyMatch(ExportKind::takesSamples);
    }

    /**
     * Begins.
     *
     * @param run directory of the run, into which the files go
     */
    public static LiveExports start(Path run, Collection<ExportKind> kinds) {
        LiveExports exports = new LiveExports(run, kinds);
        exports.thread.setDaemon(true);
        exports.thread.start();
        return exports;
    }

    private void follow() {
        try (JournalFollower journals = new JournalFollower(run, samples)) {
            boolean last;
            do {
                last = closing.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
                readOn(journals);
            } while (!last && !files.isEmpty());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | IOException | Error e) {
            log.warn("the live exports of {} end; the run goes on: {}", run, why(e));
        } finally {
            each(LiveFile::close);
        }
    }

    private void readOn(JournalFollower journals) throws IOException {
        int read = PIECE;
        while (read == PIECE && !files.isEmpty()) {
            read = journals.poll(PIECE, this::add);
        }
        each(LiveFile::show);
    }

    private void add(Event event) {
        each(file -> file.add(event));
    }

    private interface Work {
        void on(LiveFile file) throws IOException;
    }

    /** One that fails is given up, and the others go on. */
    private void each(Work work) {
        for (Iterator<LiveFile> all = files.iterator(); all.hasNext(); ) {
            LiveFile file = all.next();
            try {
                work.on(file);
            } catch (IOException | RuntimeException e) {
                all.remove();
                log.warn(
                        "monitor.exports: {} ends and the run goes on: {}; `rasterflow metrics --run {}` writes it later",
                        file.kind(),
                        why(e),
                        run);
                closeQuietly(file);
            }
        }
    }

    private static void closeQuietly(LiveFile file) {
        try {
            file.close();
        } catch (IOException | RuntimeException e) {
            log.debug("closing {}", file.kind(), e);
        }
    }

    /** The messages of some name the file alone. */
    private static String why(Throwable failure) {
        boolean nameless = failure instanceof FileSystemException wrong && wrong.getReason() == null;
        return nameless || failure.getMessage() == null ? failure.toString() : failure.getMessage();
    }

    /** Writes what the journals hold by now, and ends. */
    @Override
    public void close() {
        closing.countDown();
        try {
            thread.join(PATIENCE_MILLIS);
            if (thread.isAlive()) {
                log.warn("the live exports of {} do not come to their end; they are left as they are", run);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
