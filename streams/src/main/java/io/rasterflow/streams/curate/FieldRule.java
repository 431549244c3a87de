package io.rasterflow.streams.curate;

import java.io.IOException;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A condition on a number that is told about a sample: {@code NAME >= NUMBER}, {@code >}, {@code <=} or {@code <}. A sample
 * without such a number does not meet it.
 */
record FieldRule(String field, String operator, double bound) implements SampleFilter {

    private static final Pattern FORM = Pattern.compile("\\s*(.*?[^\\s<>=])\\s*(>=|<=|>|<)\\s*([-+.\\deE]+)\\s*");

    /** @throws IllegalArgumentException with one line */
    static FieldRule parse(String text) {
        Matcher form = FORM.matcher(text);
        if (form.matches()) {
            try {
                return new FieldRule(form.group(1), form.group(2), Double.parseDouble(form.group(3)));
            } catch (NumberFormatException e) {
                // Told below.
            }
        }
        throw new IllegalArgumentException("data.curate.fields has '" + text
                + "', which is no condition; write NAME >= NUMBER, with >=, >, <= or <");
    }

    @Override
    public String name() {
        return "field " + field;
    }

    @Override
    public Optional<String> reject(Candidate sample) throws IOException {
        OptionalDouble value = sample.fields().number(field);
        if (value.isEmpty()) {
            return Optional.of("no field " + field);
        }
        double number = value.getAsDouble();
        boolean met =
                switch (operator) {
                    case ">=" -> number >= bound;
                    case ">" -> number > bound;
                    case "<=" -> number <= bound;
                    default -> number < bound;
                };
        return met ? Optional.empty() : Optional.of("field " + field);
    }
}
