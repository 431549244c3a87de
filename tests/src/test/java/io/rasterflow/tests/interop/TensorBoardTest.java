package io.rasterflow.tests.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Histogram;
import io.rasterflow.monitoring.export.TensorBoardExport;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.tests.monitoring.SampleImages;
import io.rasterflow.tests.monitoring.SampleRun;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Event files as the format says, and as TensorBoard reads them. */
class TensorBoardTest {

    @TempDir
    private Path run;

    /** 400 steps with pictures of steps 0 and 400, then resumed from 200 and ended at 300, with pictures that are left. */
    private Path exported() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        SampleImages.write(archive, 0);
        SampleImages.write(archive, 300);
        List<Event> events = new ArrayList<>(List.of(SampleRun.images(0), SampleRun.histograms(0)));
        events.addAll(SampleRun.until(400));
        events.add(SampleRun.images(400));
        events.add(SampleRun.started(200));
        for (long step = 201; step <= 300; step++) {
            events.add(SampleRun.step(0, step));
        }
        long time = SampleRun.step(0, 300).timeMillis();
        events.add(new Event.Probe(time, "main", 300, "linear", 0.25, 1, 500, 100, 1, "pets", 2));
        events.add(new Event.Probe(time, "main", 300, "linear", 0.75, 1, 500, 100, 1, "cars", 2));
        events.addAll(List.of(SampleRun.images(300), SampleRun.histograms(300)));
        Path file = export(events);
        assertEquals(file, TensorBoardExport.write(run, run.resolve("logs")), "the same journals replace it");
        assertTrue(file.getFileName().toString().matches("events\\.out\\.tfevents\\.\\d{10}\\.rasterflow"));
        return file;
    }

    private Path export(List<Event> events) throws IOException {
        try (Journal journal = Journal.open(run, "main")) {
            events.forEach(journal::append);
        }
        return TensorBoardExport.write(run, run.resolve("logs"));
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

        Fields message(int field) {
            return of((byte[]) one(field));
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
        List<Long> restarts = new ArrayList<>();
        for (Fields event : events) {
            if (event.values().containsKey(7)) {
                assertEquals(1L, event.message(7).one(1));
                restarts.add((long) event.one(2));
            }
        }
        assertEquals(List.of(201L), restarts);
        Map<String, Map<Long, Object>> scalars = values(events, 2);
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

    /** By tag and step, what the field of a Value holds, where it is there. */
    private static Map<String, Map<Long, Object>> values(List<Fields> events, int field) {
        Map<String, Map<Long, Object>> values = new HashMap<>();
        for (Fields event : events) {
            if (event.values().containsKey(5)) {
                for (Object bytes : event.message(5).values().getOrDefault(1, List.of())) {
                    Fields value = Fields.of((byte[]) bytes);
                    if (value.values().containsKey(field)) {
                        values.computeIfAbsent(value.text(1), tag -> new TreeMap<>())
                                .put((long) event.one(2), value.one(field));
                    }
                }
            }
        }
        return values;
    }

    @Test
    void picturesAreCutIntoTheirPanels() throws IOException {
        Map<String, Map<Long, Object>> images = values(events(exported()), 4);
        assertEquals(8, images.size(), images.keySet().toString());
        assertEquals(
                List.of(0L, 300L), List.copyOf(images.get("image 1/predicted").keySet()), "400 is not kept");
        Fields image = Fields.of((byte[]) images.get("image 2/predicted").get(300L));
        assertEquals(List.of(8L, 8L, 4L), List.of(image.one(1), image.one(2), image.one(3)));
        BufferedImage panel = ImageIO.read(new ByteArrayInputStream((byte[]) image.one(4)));
        assertEquals(8, panel.getWidth());
        assertEquals(8, panel.getHeight());
        assertEquals(0xFF000000 | SampleImages.grey(300) * 0x010101, panel.getRGB(7, 7));
    }

    @Test
    void aPanelThatStaysTheSameIsWrittenOnceAndAgainAfterAResume() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        List<Event> events = new ArrayList<>(List.of(SampleRun.started(0)));
        for (long step : new long[] {0, 10, 20}) {
            SampleImages.write(archive, step);
            events.add(SampleRun.images(step));
        }
        events.addAll(List.of(SampleRun.started(10), SampleRun.images(20)));
        Map<String, Map<Long, Object>> images = values(events(export(events)), 4);
        assertEquals(List.of(0L, 20L), List.copyOf(images.get("image 1/truth").keySet()));
        assertEquals(
                List.of(0L, 10L, 20L),
                List.copyOf(images.get("image 1/predicted").keySet()));
    }

    @Test
    void histogramsAreWhatWasCounted() throws IOException {
        Map<String, Map<Long, Object>> histograms = values(events(exported()), 5);
        assertEquals(Set.of("weights/head", "loss/patches of the images"), histograms.keySet());
        Fields weights = Fields.of((byte[]) histograms.get("weights/head").get(300L));
        List<Object> moments =
                IntStream.rangeClosed(1, 5).mapToObj(weights::one).toList();
        assertEquals(List.of(-1.0, 1.0, 60.0, 0.0, 20.678), rounded(moments));
        List<Double> limits = doubles((byte[]) weights.one(6));
        assertEquals(30, limits.size());
        assertEquals(-1 + 2.0 / 30, limits.get(0), 1e-12);
        assertEquals(1.0, limits.get(29));
        assertEquals(Collections.nCopies(30, 2.0), doubles((byte[]) weights.one(7)));
        Fields losses =
                Fields.of((byte[]) histograms.get("loss/patches of the images").get(0L));
        assertEquals(List.of(0.5, 1.5, 3.0, 3.0), List.of(losses.one(1), losses.one(2), losses.one(3), losses.one(4)));
    }

    private static List<Double> rounded(List<Object> values) {
        return values.stream()
                .map(value -> Math.round((double) value * 1e4) / 1e4)
                .toList();
    }

    private static List<Double> doubles(byte[] packed) {
        List<Double> values = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            values.add(bytes.getDouble());
        }
        return values;
    }

    @Test
    void valuesThatAreNoNumbersAreNotCounted() {
        FloatBuffer values = FloatBuffer.wrap(new float[] {Float.NaN, 3, Float.NEGATIVE_INFINITY, 3});
        Histogram histogram = Histogram.of("same", List.of(values)).orElseThrow();
        assertEquals(new Histogram("same", 3, 3, 6, 18, List.of(2L)), histogram);
        assertEquals(List.of(3.0), histogram.limits());
        assertEquals(Optional.empty(), Histogram.of("none", List.of(values.slice(0, 1))));
    }

    @Test
    void aPictureThatCannotBeReadIsLeftOut() throws IOException {
        exported();
        Files.writeString(run.resolve("images/step-00000000/sheet.png"), "no picture");
        Map<String, Map<Long, Object>> images = values(events(TensorBoardExport.write(run, run.resolve("logs"))), 4);
        assertEquals(List.of(300L), List.copyOf(images.get("image 1/predicted").keySet()));
    }

    @Test
    void nothingPartialIsLeftAfterAFailure() throws IOException {
        Path file = exported();
        Files.delete(file);
        Files.createDirectories(file.resolve("in the way"));
        assertThrows(IOException.class, () -> TensorBoardExport.write(run, file.getParent()));
        try (Stream<Path> left = Files.list(file.getParent())) {
            assertEquals(List.of(file), left.toList());
        }
    }

    @Test
    void tensorBoardReadsThem() throws IOException, InterruptedException {
        Python python = Python.with("tensorboard");
        Path file = exported();
        JsonNode read = python.run(
                Resources.file("tensorboard_events.py"), file.getParent().toString());
        JsonNode scalars = read.get("scalars");
        JsonNode loss = scalars.get("loss/training");
        assertEquals(300, loss.size(), "what was done again is forgotten");
        assertEquals(300, loss.get(299).get(0).asInt());
        Event.Step step = SampleRun.step(0, 300);
        assertEquals(step.loss(), loss.get(299).get(1).asDouble(), 1e-6);
        assertEquals(step.timeMillis() / 1e3, loss.get(299).get(2).asDouble(), 1e-3);
        assertEquals(2, scalars.get("accuracy/attentive").size());
        JsonNode predicted = read.get("images").get("image 1/predicted");
        assertEquals(
                "[[0,8,8,true],[300,8,8,true]]", predicted.toString(), "[step, width, height, whether it is a PNG]");
        JsonNode weights = read.get("histograms").get("weights/head");
        assertEquals(2, weights.size());
        assertEquals(
                "[300,-1.0,1.0,60.0,60.0,1.0]",
                weights.get(1).toString(),
                "[step, min, max, values, sum of bins, last limit]");
    }

    @Test
    void withoutAJournalThatIsSaid() {
        IOException none = assertThrows(IOException.class, () -> TensorBoardExport.write(run, run.resolve("logs")));
        assertTrue(none.getMessage().startsWith("no journal in " + run), none.getMessage());
        assertFalse(Files.exists(run.resolve("logs")));
    }
}
