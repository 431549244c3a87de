package io.rasterflow.monitoring.top;

import io.rasterflow.monitoring.journal.JournalFollower;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import io.rasterflow.monitoring.plot.Words;
import java.io.IOException;
import java.nio.file.Path;

/** The journals of a run directory. */
public final class JournalSource implements Source {

    /** Events between two frames while there are many, so that a long run shows how far the reading is. */
    private static final int PIECE = 50_000;

    private final JournalFollower journals;
    private final RunState state = new RunState();
    private long events;
    private boolean behind = true;

    /** @throws IOException with one line, if the directory holds no journal */
    public JournalSource(Path run) throws IOException {
        if (!Journals.exist(run)) {
            throw new IOException("no journal in " + run + ": give the directory of a run that has begun (--run DIR)");
        }
        journals = new JournalFollower(run);
    }

    @Override
    public RunUpdate run() throws IOException {
        int read = journals.poll(PIECE, state::apply);
        events += read;
        behind = read == PIECE;
        return state.since(Cursor.START);
    }

    @Override
    public String note() {
        return behind ? Words.format("reading the journals: %,d events so far", events) : "";
    }

    @Override
    public boolean behind() {
        return behind;
    }

    @Override
    public void close() {
        journals.close();
    }
}
