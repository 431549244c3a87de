package io.rasterflow.streams.format;

import java.util.List;
import java.util.OptionalInt;

/**
 * Where the label of a sample is looked for: {@code KEY.cls}, then a field of {@code KEY.json} or of the row, then
 * {@code KEY.txt} if it holds nothing but a whole number. A value that is not a whole number from 0 is no label.
 *
 * @param field name of the field. {@value #DEFAULT} also takes {@code cls}, {@code class} and {@code class_id}; any other
 *     name was chosen on purpose and goes before {@code KEY.cls}
 */
public record LabelRule(String field) {

    public static final String DEFAULT = "label";

    private static final List<String> USUAL = List.of(DEFAULT, "cls", "class", "class_id");

    public LabelRule {
        if (field.isBlank()) {
            throw new IllegalArgumentException("data.labelField must not be empty; the usual name is " + DEFAULT);
        }
    }

    /** The usual places. */
    public static LabelRule usual() {
        return new LabelRule(DEFAULT);
    }

    /** Whether the field decides even where there is a {@code .cls} file. */
    boolean chosen() {
        return !field.equals(DEFAULT);
    }

    OptionalInt label(SampleFields fields) {
        for (String name : chosen() ? List.of(field) : USUAL) {
            double value = fields.number(name).orElse(-1);
            if (value >= 0 && value <= Integer.MAX_VALUE && value == Math.rint(value)) {
                return OptionalInt.of((int) value);
            }
        }
        return OptionalInt.empty();
    }
}
