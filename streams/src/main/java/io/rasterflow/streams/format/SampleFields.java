package io.rasterflow.streams.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * What is told about a sample besides its image: the numbers, texts and truth values of its {@code .json} file or of its
 * row, by name, and its caption. Only kept while the sample is looked at.
 */
public final class SampleFields {

    /** Of a sample without any. */
    public static final SampleFields NONE = new SampleFields(Map.of());

    /** Name under which the text of a {@code .txt} file goes. */
    public static final String CAPTION = "caption";

    // Scores that could not be computed are written as NaN by Python's json.
    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .build();

    private final Map<String, String> values;

    private SampleFields(Map<String, String> values) {
        this.values = values;
    }

    /** The fields with these names and values. */
    public static SampleFields of(Map<String, String> values) {
        return values.isEmpty() ? NONE : new SampleFields(new LinkedHashMap<>(values));
    }

    /**
     * The scalars of a JSON object, those of objects in it by their path ({@code a.b}); arrays are left out, and text that is
     * no JSON object has no fields.
     */
    static SampleFields json(byte[] utf8) {
        Map<String, String> values = new LinkedHashMap<>();
        try (JsonParser parser = JSON.createParser(utf8)) {
            return parser.nextToken() == JsonToken.START_OBJECT && object(parser, "", values) ? of(values) : NONE;
        } catch (IOException e) {
            return NONE; // A description that cannot be read describes nothing; the image may be good all the same.
        }
    }

    /** Reads up to the end of an object; the parser limits how deep they may lie in each other. */
    private static boolean object(JsonParser parser, String path, Map<String, String> values) throws IOException {
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken value = parser.nextToken();
            if (value == JsonToken.START_OBJECT) {
                object(parser, path + name + ".", values);
            } else if (value == JsonToken.START_ARRAY) {
                parser.skipChildren();
            } else if (value != JsonToken.VALUE_NULL) {
                values.put(path + name, parser.getText());
            }
        }
        return parser.currentToken() == JsonToken.END_OBJECT;
    }

    /** The same with a caption, unless there is one. */
    SampleFields withCaption(String text) {
        Map<String, String> more = new LinkedHashMap<>(values);
        more.putIfAbsent(CAPTION, text);
        return new SampleFields(more);
    }

    public Set<String> names() {
        return Set.copyOf(values.keySet());
    }

    /** A value as it was written. */
    public Optional<String> text(String name) {
        return Optional.ofNullable(values.get(name));
    }

    /** A number; empty for other texts and for NaN, which stands for a value that could not be computed. */
    public OptionalDouble number(String name) {
        String text = values.get(name);
        try {
            double value = text == null ? Double.NaN : Double.parseDouble(text);
            return Double.isNaN(value) ? OptionalDouble.empty() : OptionalDouble.of(value);
        } catch (NumberFormatException e) {
            return OptionalDouble.empty();
        }
    }
}
