package io.rasterflow.monitoring.export;

import io.rasterflow.monitoring.event.Event;
import java.io.IOException;

/** Takes events, in the order in which they came. */
interface EventSink extends AutoCloseable {

    void add(Event event) throws IOException;

    /** Readers see what was added so far. */
    void flush() throws IOException;

    @Override
    void close() throws IOException;
}
