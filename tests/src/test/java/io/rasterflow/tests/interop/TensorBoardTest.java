package io.rasterflow.tests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.export.TensorBoardExport;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.tests.monitoring.SampleRun;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Event files as the format says, and as TensorBoard reads them. */
class TensorBoardTest {

    @TempDir
    private Path run;

    /** 400 steps, then resumed from 200 and ended at 300. */
    private Path exported() throws IOException {
        List<Event> events = new ArrayList<>(SampleRun.until(400));
        events.add(SampleRun.started(200));
        for (long step = 201; step <= 300; step++) {
            events.add(SampleRun.step(0, step));
        }
        long time = SampleRun.step(0, 300).timeMillis();
        events.add(new Event.Probe(time, "main", 300, "linear", 0.25, 1, 500, 100, 1, "pets", 2));
        events.add(new Event.Probe(time, "main", 300, "linear", 0.75, 1, 500, 100, 1, "cars", 2));
        try (Journal journal = Journal.open(run, "main")) {
            events.forEach(journal::append);
        }
        Path file = TensorBoardExport.write(run, run.resolve("logs"));
        assertEquals(file, TensorBoardExport.write(run, run.resolve("logs")), "the same journals replace it");
        assertTrue(file.getFileName().toString().matches("events\\.out\\.tfevents\\.\\d{10}\\.rasterflow"));
        return file;
    }

    private record Fields(Map<Integer, List<Object>> values) {

        static Fields of(byte[] message) {
            Map<Integer, List<Object>> values = new HashMap<>();
            ByteBuffer bytes = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
            while (bytes.hasRemaining()) {
                int key = (int) varint(bytes);
                Object value =
                        switch (key & 7) {
                            case 0 -> varint(bytes);
                            case 1 -> bytes.getDouble();
                            case 2 -> {
                                byte[] content = new byte[(int) varint(bytes)];
                                bytes.get(content);
                                yield content;
                            }
                            case 5 -> bytes.getFloat();
                            default -> throw new AssertionError("wire type " + (key & 7));
                        };
                values.computeIfAbsent(key >>> 3, field -> new ArrayList<>()).add(value);
            }
            return new Fields(values);
        }

        private static long varint(ByteBuffer bytes) {
            long value = 0;
            for (int shift = 0; ; shift += 7) {
                byte next = bytes.get();
                value |= (long) (next & 0x7f) << shift;
                if (next >= 0) {
                    return value;
                }
            }
        }

        Object one(int field) {
            assertEquals(1, values.get(field).size());
            return values.get(field).get(0);
        }

        String text(int field) {
            return new String((byte[]) one(field), StandardCharsets.UTF_8);
        }
    }

    private static List<Fields> events(Path file) throws IOException {
        List<Fields> events = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            byte[] length = new byte[8];
            bytes.get(length);
            assertEquals(masked(length), bytes.getInt());
            byte[] message = new byte
                    [(int) ByteBuffer.wrap(length)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .getLong()];
            bytes.get(message);
            assertEquals(masked(message), bytes.getInt());
            events.add(Fields.of(message));
        }
        return events;
    }

    private static int masked(byte[] bytes) {
        CRC32C checksum = new CRC32C();
        checksum.update(bytes);
        long crc = checksum.getValue();
        return (int) (((crc >>> 15) | (crc << 17)) + 0xa282ead8L);
    }

    @Test
    void recordsAreEventsWithChecksums() throws IOException {
        List<Fields> events = events(exported());
        assertEquals("brain.Event:2", events.get(0).text(3));
        Map<String, Map<Long, Float>> scalars = new HashMap<>();
        List<Long> restarts = new ArrayList<>();
        for (Fields event : events.subList(1, events.size())) {
            long step = (long) event.one(2);
            if (event.values().containsKey(7)) {
                assertEquals(1L, Fields.of((byte[]) event.one(7)).one(1));
                restarts.add(step);
                continue;
            }
            for (Object value : Fields.of((byte[]) event.one(5)).values().get(1)) {
                Fields scalar = Fields.of((byte[]) value);
                scalars.computeIfAbsent(scalar.text(1), tag -> new HashMap<>()).put(step, (Float) scalar.one(2));
            }
        }
        assertEquals(List.of(201L), restarts);
        assertEquals(400, scalars.get("loss/training").size());
        assertEquals(
                (float) SampleRun.step(0, 250).loss(),
                scalars.get("loss/training").get(250L));
        assertEquals(
                (float) SampleRun.validationLoss(400),
                scalars.get("loss/validation").get(400L));
        assertEquals(0.789f, scalars.get("accuracy/attentive").get(0L));
        assertEquals(0.25f, scalars.get("accuracy/linear pets").get(300L));
        assertEquals(0.75f, scalars.get("accuracy/linear cars").get(300L));
        assertEquals(Map.of(300L, 0.5f), scalars.get("accuracy/linear average"));
        assertEquals(0.012f, scalars.get("seconds of rank 1/update").get(7L));
        assertFalse(scalars.get("optimizer/noise scale in images").containsKey(9L), "not known yet");
    }

    @Test
    void tensorBoardReadsThem() throws IOException, InterruptedException {
        Python python = Python.with("tensorboard");
        Path file = exported();
        JsonNode scalars = python.run(
                Resources.file("tensorboard_events.py"), file.getParent().toString());
        JsonNode loss = scalars.get("loss/training");
        assertEquals(300, loss.size(), "what was done again is forgotten");
        assertEquals(300, loss.get(299).get(0).asInt());
        Event.Step step = SampleRun.step(0, 300);
        assertEquals(step.loss(), loss.get(299).get(1).asDouble(), 1e-6);
        assertEquals(step.timeMillis() / 1e3, loss.get(299).get(2).asDouble(), 1e-3);
        assertEquals(2, scalars.get("accuracy/attentive").size());
    }

    @Test
    void withoutAJournalThatIsSaid() {
        IOException none = assertThrows(IOException.class, () -> TensorBoardExport.write(run, run.resolve("logs")));
        assertTrue(none.getMessage().startsWith("no journal in " + run), none.getMessage());
        assertFalse(Files.exists(run.resolve("logs")));
    }
}
