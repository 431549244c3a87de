package io.rasterflow.monitoring.top;

import io.rasterflow.monitoring.monitor.RunUpdate;
import java.io.IOException;

/** Where a terminal's view of a run comes from. */
public interface Source extends AutoCloseable {

    /** The run as it stands, with all of its curves. */
    RunUpdate run() throws IOException;

    /** What the reader should know of the source; empty when all is well. */
    String note();

    /** Whether more is waiting to be read right now. */
    boolean behind();

    @Override
    void close();
}
