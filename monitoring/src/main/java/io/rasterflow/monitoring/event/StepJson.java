package io.rasterflow.monitoring.event;

import java.nio.charset.StandardCharsets;

/**
 * The JSON of the events that every step brings, written without reflection: nearly all of a journal, appended by the ranks
 * themselves, on caches that the step has left full of weights. The same fields as {@link EventJson} writes of the others.
 */
final class StepJson {

    /** Longer than any of them with names of the usual length. */
    private static final int CAPACITY = 640;

    private final StringBuilder json = new StringBuilder(CAPACITY);
    /** Whether every text could be written as it is. */
    private boolean plain = true;

    private StepJson(String type, Event event) {
        json.append("{\"v\":")
                .append(EventJson.VERSION)
                .append(",\"type\":\"")
                .append(type)
                .append('"');
        number("timeMillis", event.timeMillis());
        text("node", event.node());
    }

    /** One line of UTF-8; null of an event of another kind, or with text that needs escapes. */
    static byte[] write(Event event) {
        StepJson line;
        if (event instanceof Event.Lease lease) {
            line = lease(lease);
        } else if (event instanceof Event.Commit commit) {
            line = commit(commit);
        } else if (event instanceof Event.Step step) {
            line = step(step);
        } else {
            return null;
        }
        return line.plain ? line.json.append('}').toString().getBytes(StandardCharsets.US_ASCII) : null;
    }

    private static StepJson lease(Event.Lease lease) {
        StepJson line = new StepJson("lease", lease);
        line.number("rank", lease.rank());
        line.number("generation", lease.generation());
        line.number("step", lease.step());
        line.number("microBatch", lease.microBatch());
        line.number("firstPosition", lease.firstPosition());
        line.number("images", lease.images());
        return line;
    }

    private static StepJson commit(Event.Commit commit) {
        StepJson line = new StepJson("commit", commit);
        line.number("rank", commit.rank());
        line.number("generation", commit.generation());
        line.number("step", commit.step());
        line.number("fromMicroBatch", commit.fromMicroBatch());
        line.number("toMicroBatch", commit.toMicroBatch());
        line.text("digest", commit.digest());
        return line;
    }

    private static StepJson step(Event.Step step) {
        StepJson line = new StepJson("step", step);
        line.number("rank", step.rank());
        line.number("worldSize", step.worldSize());
        line.number("generation", step.generation());
        line.number("step", step.step());
        line.number("epoch", step.epoch());
        line.number("loss", step.loss());
        line.number("gradientNorm", step.gradientNorm());
        line.number("learningRate", step.learningRate());
        line.number("images", step.images());
        line.name("ledger");
        char separator = '{';
        for (var part : Ledger.PARTS.entrySet()) {
            line.json.append(separator).append('"').append(part.getKey()).append("\":");
            line.value(part.getValue().applyAsDouble(step.ledger()));
            separator = ',';
        }
        line.json.append('}');
        line.number("noiseScale", step.noiseScale());
        return line;
    }

    private void name(String name) {
        json.append(",\"").append(name).append("\":");
    }

    private void number(String name, long value) {
        name(name);
        json.append(value);
    }

    private void number(String name, double value) {
        name(name);
        value(value);
    }

    private void value(double value) {
        if (Double.isFinite(value)) {
            json.append(value);
        } else {
            json.append('"').append(value).append('"');
        }
    }

    private void text(String name, String value) {
        for (int i = 0; i < value.length(); i++) {
            char letter = value.charAt(i);
            plain &= letter >= ' ' && letter < 0x7f && letter != '"' && letter != '\\';
        }
        name(name);
        json.append('"').append(value).append('"');
    }
}
