package io.rasterflow.monitoring.event;

import com.fasterxml.jackson.core.io.NumberInput;
import java.nio.charset.StandardCharsets;

/**
 * Reads the record of a step as {@link StepJson} writes it, field by field in that order and without reflection: a journal of a
 * long run is opened in a fraction of the time. Anything else is left to {@link EventJson}.
 */
final class StepParser {

    private static final byte[] START = ascii("{\"v\":" + EventJson.VERSION + ",\"type\":\"step\",\"timeMillis\":");
    private static final byte[] NODE = ascii(",\"node\":\"");
    private static final byte[] RANK = ascii("\",\"rank\":");
    private static final byte[] WORLD_SIZE = name("worldSize");
    private static final byte[] GENERATION = name("generation");
    private static final byte[] STEP = name("step");
    private static final byte[] EPOCH = name("epoch");
    private static final byte[] LOSS = name("loss");
    private static final byte[] GRADIENT_NORM = name("gradientNorm");
    private static final byte[] LEARNING_RATE = name("learningRate");
    private static final byte[] IMAGES = name("images");
    private static final byte[] LEDGER = ascii(",\"ledger\":{\"fetch\":");
    private static final byte[] DECODE = name("decode");
    private static final byte[] WAIT = name("wait");
    private static final byte[] COMPUTE = name("compute");
    private static final byte[] EXCHANGE = name("exchange");
    private static final byte[] UPDATE = name("update");
    private static final byte[] NOISE_SCALE = ascii("},\"noiseScale\":");
    private static final byte[] QUOTE = ascii("\"");
    private static final byte[] END = ascii("}");

    /** Longer than any number. */
    private static final int DIGITS = 32;

    private final byte[] record;
    private int at;
    private boolean matches = true;

    private StepParser(byte[] record) {
        this.record = record;
    }

    /** The step; null of any other record, and of one that is written in another way. */
    static Event.Step read(byte[] record) {
        StepParser parser = new StepParser(record);
        parser.skip(START);
        if (!parser.matches) {
            return null;
        }
        try {
            Event.Step step = parser.step();
            return parser.matches && parser.at == record.length ? step : null;
        } catch (NumberFormatException | ArithmeticException e) {
            return null;
        }
    }

    private Event.Step step() {
        return new Event.Step(
                whole(),
                text(),
                Math.toIntExact(whole(RANK)),
                Math.toIntExact(whole(WORLD_SIZE)),
                whole(GENERATION),
                whole(STEP),
                number(EPOCH),
                number(LOSS),
                number(GRADIENT_NORM),
                number(LEARNING_RATE),
                Math.toIntExact(whole(IMAGES)),
                new Ledger(
                        number(LEDGER),
                        number(DECODE),
                        number(WAIT),
                        number(COMPUTE),
                        number(EXCHANGE),
                        number(UPDATE)),
                lastNumber());
    }

    private double lastNumber() {
        double value = number(NOISE_SCALE);
        skip(END);
        return value;
    }

    private void skip(byte[] expected) {
        if (matches && record.length - at >= expected.length) {
            for (int i = 0; i < expected.length; i++) {
                matches &= record[at + i] == expected[i];
            }
            at += expected.length;
        } else {
            matches = false;
        }
    }

    private String text() {
        skip(NODE);
        int from = at;
        while (at < record.length && record[at] != '"') {
            matches &= record[at] >= ' ' && record[at] != '\\';
            at++;
        }
        return new String(record, from, at - from, StandardCharsets.US_ASCII);
    }

    private long whole(byte[] name) {
        skip(name);
        return whole();
    }

    private long whole() {
        return Long.parseLong(digits());
    }

    private double number(byte[] name) {
        skip(name);
        if (at < record.length && record[at] == '"') {
            at++; // "NaN", "Infinity", "-Infinity"
            double value = Double.parseDouble(digits());
            skip(QUOTE);
            return value;
        }
        return NumberInput.parseDouble(digits(), true);
    }

    private String digits() {
        int from = at;
        while (at < record.length && at - from < DIGITS && !isEnd(record[at])) {
            at++;
        }
        return new String(record, from, at - from, StandardCharsets.US_ASCII);
    }

    private static boolean isEnd(byte letter) {
        return letter == ',' || letter == '}' || letter == '"';
    }

    private static byte[] name(String name) {
        return ascii(",\"" + name + "\":");
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
