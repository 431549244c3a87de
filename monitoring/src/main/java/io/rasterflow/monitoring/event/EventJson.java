package io.rasterflow.monitoring.event;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * An event as one self-describing JSON object in UTF-8, without line breaks:
 *
 * <pre>
 * {"v":1,"type":"step","timeMillis":1767225600000,"node":"trainer-0","rank":0, ... ,"ledger":{"fetch":0.01, ... }}
 * </pre>
 *
 * <p>{@code v} is the version of the layout. A reader ignores fields that it does not know, and skips records of a
 * newer version or an unknown type, so that an older program can read the journal of a newer one. Numbers that JSON
 * lacks are the strings {@code "NaN"}, {@code "Infinity"} and {@code "-Infinity"}.
 */
public final class EventJson {

    /** Version of the layout that {@link #write} produces. */
    public static final int VERSION = 1;

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .disable(DeserializationFeature.FAIL_ON_INVALID_SUBTYPE)
            .build();
    private static final ObjectWriter WRITER = MAPPER.writerFor(Event.class);
    private static final ObjectReader READER = MAPPER.readerFor(Event.class);
    private static final byte[] VERSION_FIELD = ("{\"v\":" + VERSION + ",").getBytes(StandardCharsets.US_ASCII);

    private static final byte[] LEASE = typeField("lease");
    private static final byte[] COMMIT = typeField("commit");

    private EventJson() {}

    private static byte[] typeField(String type) {
        return ("{\"v\":" + VERSION + ",\"type\":\"" + type + "\",").getBytes(StandardCharsets.US_ASCII);
    }

    /** The event as a JSON object with its version. */
    public static ObjectNode tree(Event event) {
        ObjectNode node = MAPPER.createObjectNode().put("v", VERSION);
        node.setAll((ObjectNode) MAPPER.valueToTree(event));
        return node;
    }

    /** One line of JSON in UTF-8, without the line break. */
    public static byte[] write(Event event) {
        byte[] plain = StepJson.write(event);
        if (plain != null) {
            return plain;
        }
        try {
            byte[] fields = WRITER.writeValueAsBytes(event);
            byte[] record = Arrays.copyOf(VERSION_FIELD, VERSION_FIELD.length + fields.length - 1);
            System.arraycopy(fields, 1, record, VERSION_FIELD.length, fields.length - 1);
            return record;
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("cannot write the event " + event + " as JSON", e);
        }
    }

    /**
     * Reads one object.
     *
     * @return empty when the record is of a newer version or of a type that this program does not know
     * @throws IOException when the bytes are not a JSON object of this layout
     */
    public static Optional<Event> read(byte[] utf8) throws IOException {
        Event.Step step = StepParser.read(utf8);
        if (step != null) {
            return Optional.of(step);
        }
        if (!startsWithVersion(utf8)) {
            JsonNode node = MAPPER.readTree(utf8);
            if (node == null || !node.isObject() || !node.path("v").isInt()) {
                throw new IOException("not an event record: " + excerpt(utf8));
            }
            if (node.path("v").intValue() > VERSION) {
                return Optional.empty();
            }
        }
        // Null for a type that is not known here.
        return Optional.ofNullable(READER.readValue(utf8));
    }

    /** Whether a record is of the ledger of samples, as this program writes it: found out without reading it. */
    public static boolean isSampleLedger(byte[] utf8) {
        return startsWith(utf8, LEASE) || startsWith(utf8, COMMIT);
    }

    private static boolean startsWith(byte[] utf8, byte[] start) {
        return utf8.length > start.length && Arrays.equals(utf8, 0, start.length, start, 0, start.length);
    }

    /** What this program writes needs no look at its tree. */
    private static boolean startsWithVersion(byte[] utf8) {
        return startsWith(utf8, VERSION_FIELD);
    }

    private static String excerpt(byte[] utf8) {
        String text = new String(utf8, 0, Math.min(80, utf8.length), StandardCharsets.UTF_8);
        return text.replaceAll("\\p{Cntrl}", "?");
    }
}
