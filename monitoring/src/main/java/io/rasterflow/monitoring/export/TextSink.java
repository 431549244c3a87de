package io.rasterflow.monitoring.export;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.EventLines;
import io.rasterflow.monitoring.journal.MetricsExport.Format;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Events as lines of text in UTF-8, which may be read while they are written. */
final class TextSink implements EventSink {

    private final EventLines lines;
    private final BufferedWriter out;

    /** @param target that is written or replaced */
    TextSink(Path target, Format format) throws IOException {
        lines = new EventLines(format);
        out = Files.newBufferedWriter(target);
        Optional<String> head = lines.head();
        if (head.isPresent()) {
            write(head.get());
        }
    }

    private void write(String line) throws IOException {
        out.write(line);
        out.write('\n');
    }

    @Override
    public void add(Event event) throws IOException {
        write(lines.line(event));
    }

    @Override
    public void flush() throws IOException {
        out.flush();
    }

    @Override
    public void close() throws IOException {
        out.close();
    }
}
