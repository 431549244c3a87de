package io.rasterflow.monitoring.journal;

import io.rasterflow.monitoring.event.Event;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.stream.Stream;

/** The journals of a run as text. */
public final class MetricsExport {

    /** How the events are written. */
    public enum Format {
        /** One JSON object a line, as in the journal. */
        JSONL,
        /** One row an event and one column a field; fields of the ledger are {@code ledger.fetch} and so on. */
        CSV;

        /** Reads {@code jsonl} or {@code csv}. */
        public static Format of(String text) {
            for (Format format : values()) {
                if (format.name().equalsIgnoreCase(text)) {
                    return format;
                }
            }
            throw new IllegalArgumentException("unknown format '" + text + "': choose jsonl or csv");
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private MetricsExport() {}

    /**
     * Writes every event, in order of time, in UTF-8; stops early when nobody reads {@code out} any more.
     *
     * @return number of events written
     * @throws IOException when the run has no journal or it cannot be listed
     */
    public static long write(Path runDir, Format format, PrintStream out) throws IOException {
        if (!Journals.exist(runDir)) {
            throw new IOException(
                    "no journal in " + runDir + ": give the directory of a run that has begun (--run DIR)");
        }
        EventLines lines = new EventLines(format);
        lines.head().ifPresent(head -> println(out, head));
        long written = 0;
        try (Stream<Event> events = Journals.read(runDir)) {
            for (Iterator<Event> it = events.iterator();
                    it.hasNext() && !(written % 256 == 255 && out.checkError()); ) {
                println(out, lines.line(it.next()));
                written++;
            }
        }
        out.flush();
        return written;
    }

    private static void println(PrintStream out, String line) {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        out.write(bytes, 0, bytes.length);
    }
}
