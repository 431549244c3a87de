package io.rasterflow.streams.pack.source;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * One record of a list of URLs.
 *
 * @param url as it stands there
 * @param label a number or the name of a class; empty if there is none
 * @param caption empty if there is none
 * @param fields all columns but the label, as one JSON object; the URL in it shows no secrets
 */
record UrlRecord(String url, String label, String caption, String fields) {

    private static final Set<String> URL = Set.of("url", "image_url");
    private static final Set<String> LABEL = Set.of("label", "class", "cls");
    private static final Set<String> CAPTION = Set.of("caption", "text");
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** How the records of a file are written. */
    enum Form {
        /** {@code URL [LABEL]} */
        TEXT,
        CSV,
        TSV,
        JSON_LINES;

        static Form of(String fileName) {
            String name = fileName.toLowerCase(Locale.ROOT);
            if (name.endsWith(".csv")) {
                return CSV;
            }
            if (name.endsWith(".tsv")) {
                return TSV;
            }
            return name.matches(".*\\.(jsonl|ndjson|json)") ? JSON_LINES : TEXT;
        }

        /** Whether the first record names the columns. */
        boolean hasHeader() {
            return this == CSV || this == TSV;
        }
    }

    /**
     * Reads a record.
     *
     * @param columns names of the columns of CSV and TSV
     * @throws SampleFailure one line, if it holds no URL
     */
    static UrlRecord parse(Form form, List<String> columns, String text) throws SampleFailure {
        switch (form) {
            case TEXT -> {
                String[] words = text.strip().split("\\s+", 2);
                return of(
                        MAPPER.createObjectNode().put("url", words[0]).put("label", words.length > 1 ? words[1] : ""));
            }
            case CSV, TSV -> {
                List<String> values = split(text, form == Form.CSV ? ',' : '\t');
                if (values.size() != columns.size()) {
                    throw new SampleFailure(values.size() + " values for " + columns.size() + " columns");
                }
                ObjectNode node = MAPPER.createObjectNode();
                for (int c = 0; c < columns.size(); c++) {
                    put(node, columns.get(c), values.get(c));
                }
                return of(node);
            }
            case JSON_LINES -> {
                try {
                    if (MAPPER.readTree(text) instanceof ObjectNode node) {
                        return of(node);
                    }
                } catch (JsonProcessingException e) {
                    // Told below.
                }
                throw new SampleFailure("the line is no JSON object");
            }
        }
        throw new IllegalStateException(form.toString());
    }

    /** Scores are numbers in a JSON object too, so that filters can compare them. */
    private static void put(ObjectNode node, String column, String value) {
        boolean text = URL.contains(lower(column)) || LABEL.contains(lower(column)) || CAPTION.contains(lower(column));
        if (!text && value.matches("-?(0|[1-9]\\d{0,14})(\\.\\d{1,15})?")) {
            node.put(column, Double.parseDouble(value));
        } else {
            node.put(column, value);
        }
    }

    private static UrlRecord of(ObjectNode node) throws SampleFailure {
        String url = "";
        String label = "";
        String caption = "";
        ObjectNode fields = MAPPER.createObjectNode();
        for (var entry : node.properties()) {
            String column = lower(entry.getKey());
            JsonNode value = entry.getValue();
            if (URL.contains(column)) {
                url = value.asText().strip();
                fields.put("url", Urls.redact(url));
            } else if (LABEL.contains(column)) {
                label = value.isNull() ? "" : value.asText().strip();
            } else if (CAPTION.contains(column)) {
                caption = value.isNull() ? "" : value.asText();
                fields.put("caption", caption);
            } else {
                fields.set(entry.getKey(), value);
            }
        }
        if (url.isEmpty()) {
            throw new SampleFailure("no URL in the line");
        }
        return new UrlRecord(url, label, caption, fields.toString());
    }

    static boolean isUrlColumn(String column) {
        return URL.contains(lower(column));
    }

    private static String lower(String column) {
        return column.strip().toLowerCase(Locale.ROOT);
    }

    /** The values of a CSV record (RFC 4180): quoted ones may hold separators, newlines and doubled quotes. */
    static List<String> split(String record, char separator) {
        List<String> values = new ArrayList<>();
        StringBuilder value = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < record.length(); i++) {
            char c = record.charAt(i);
            if (c == '"' && quoted && i + 1 < record.length() && record.charAt(i + 1) == '"') {
                value.append('"');
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == separator && !quoted) {
                values.add(value.toString());
                value.setLength(0);
            } else {
                value.append(c);
            }
        }
        values.add(value.toString());
        return values;
    }
}
