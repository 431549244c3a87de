package io.rasterflow.monitoring.journal;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.EventJson;
import io.rasterflow.monitoring.journal.MetricsExport.Format;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Events as lines of text, in one format. */
public final class EventLines {

    /** Of CSV; none of JSON lines. */
    private final List<String> columns;

    public EventLines(Format format) {
        columns = format == Format.CSV ? columns() : List.of();
    }

    /** The line above all others, where the format has one. */
    public Optional<String> head() {
        return columns.isEmpty() ? Optional.empty() : Optional.of(String.join(",", columns));
    }

    /** The line of an event, without its end. */
    public String line(Event event) {
        ObjectNode tree = EventJson.tree(event);
        return columns.isEmpty() ? tree.toString() : row(tree, columns);
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
        var renamed = component.getAccessor().getAnnotation(JsonProperty.class);
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
