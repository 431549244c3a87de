package io.rasterflow.monitoring.compare;

import io.rasterflow.monitoring.journal.JournalFollower;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The journals of one other run, read as far as they have been written; nothing is written there. Not thread-safe. */
final class ComparedJournals implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(ComparedJournals.class);

    /** Events at a time, so that a long run holds nobody up. */
    private static final int PIECE = 100_000;

    private static final List<String> CURVES = List.of("loss", "validation", "seconds");

    private final String label;
    private final JournalFollower journals;
    private final RunState state = new RunState();
    private long events;
    private boolean caughtUp = true;
    private String trouble = "no event yet";
    private ComparedRun run;

    ComparedJournals(Path directory) {
        label = directory.toString();
        journals = new JournalFollower(directory);
        run = fold();
    }

    /** Reads on. Returns whether anything is new. */
    boolean poll() {
        String before = trouble;
        int read = 0;
        try {
            read = journals.poll(PIECE, state::apply);
            events += read;
            caughtUp = read < PIECE;
            trouble = events == 0 ? "no event yet" : !caughtUp ? events + " events read so far" : "";
        } catch (IOException | RuntimeException e) {
            log.debug("the journals of {}", label, e);
            trouble = "its journals cannot be read: " + e.getMessage();
        }
        if (read == 0 && trouble.equals(before)) {
            return false;
        }
        run = fold();
        return true;
    }

    /** Whether all that was there has been read. */
    boolean caughtUp() {
        return caughtUp;
    }

    private ComparedRun fold() {
        RunUpdate all = state.since(Cursor.START);
        Map<String, Tail> curves = new LinkedHashMap<>(all.curves());
        curves.keySet().retainAll(CURVES);
        return new ComparedRun(
                label,
                all.status().state(),
                all.status().globalBatch(),
                curves,
                all.status().probes(),
                trouble);
    }

    ComparedRun run() {
        return run;
    }

    @Override
    public void close() {
        journals.close();
    }
}
