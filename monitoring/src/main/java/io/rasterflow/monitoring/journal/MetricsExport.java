package io.rasterflow.monitoring.journal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.EventJson;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
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
        List<String> columns = format == Format.CSV ? columns() : List.of();
        if (format == Format.CSV) {
            println(out, String.join(",", columns));
        }
        long written = 0;
        try (Stream<Event> events = Journals.read(runDir)) {
            for (Iterator<Event> it = events.iterator();
                    it.hasNext() && !(written % 256 == 255 && out.checkError()); ) {
                ObjectNode tree = EventJson.tree(it.next());
                println(out, format == Format.CSV ? row(tree, columns) : tree.toString());
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

    /** Every field of every kind of event, in the order of the source. */
    private static List<String> columns() {
        Set<String> columns = new LinkedHashSet<>(List.of("type"));
        for (Class<?> type : Event.class.getPermittedSubclasses()) {
            for (RecordComponent component : type.getRecordComponents()) {
                if (component.getType().isRecord()) {
                    for (RecordComponent part : component.getType().getRecordComponents()) {
                        columns.add(component.getName() + "." + jsonName(part));
                    }
                } else {
                    columns.add(component.getName());
                }
            }
        }
        return new ArrayList<>(columns);
    }

    private static String jsonName(RecordComponent component) {
        var renamed = component.getAccessor().getAnnotation(com.fasterxml.jackson.annotation.JsonProperty.class);
        return renamed == null ? component.getName() : renamed.value();
    }

    private static String row(ObjectNode tree, List<String> columns) {
        StringBuilder row = new StringBuilder(200);
        for (String column : columns) {
            if (row.length() > 0) {
                row.append(',');
            }
            JsonNode value = tree.at("/" + column.replace('.', '/'));
            if (!value.isMissingNode() && !value.isNull()) {
                row.append(quoted(value.asText()));
            }
        }
        return row.toString();
    }

    /** RFC 4180. */
    private static String quoted(String value) {
        boolean plain = value.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
        return plain ? value : '"' + value.replace("\"", "\"\"") + '"';
    }
}
