package io.rasterflow.monitoring.compare;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.JournalFollower;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.RunPointBook;
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
    private final RunPointBook book = new RunPointBook();
    private long events;
    private boolean caughtUp = true;
    private String trouble = "no event yet";
    /** Null since there are news. */
    private ComparedRun run;

    /** @param label what the run is called */
    ComparedJournals(String label, Path directory) {
        this.label = label;
        journals = new JournalFollower(directory);
    }

    /** Reads on. Returns whether anything is new. */
    boolean poll() {
        String before = trouble;
        int read = 0;
        try {
            read = journals.poll(PIECE, this::add);
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
        run = null;
        return true;
    }

    private void add(Event event) {
        state.apply(event);
        book.add(event);
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
        if (run == null) {
            run = fold();
        }
        return run;
    }

    /**
     * The run by its last validated weights.
     *
     * @throws IllegalArgumentException with one line, where there are none
     */
    RunPoint point() {
        if (!trouble.isEmpty()) {
            throw new IllegalArgumentException(
                    label + ": " + (caughtUp ? trouble : "its journals are still being read"));
        }
        return book.point(label);
    }

    @Override
    public void close() {
        journals.close();
    }
}
