package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.EventJson;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.journal.JournalConfig;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.monitoring.journal.MetricsExport;
import io.rasterflow.monitoring.journal.MetricsExport.Format;
import io.rasterflow.monitoring.journal.Retention;
import io.rasterflow.tests.Paired;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Paired
class JournalTest {

    /** Bytes that Chronicle writes before a record. */
    private static final int HEADER = 4;

    private static final int PAGE = 4096;

    @TempDir
    Path run;

    static List<Event> readAll(Path run) throws IOException {
        try (Stream<Event> events = Journals.read(run)) {
            return events.toList();
        }
    }

    @Test
    void everyKindOfEventSurvivesTheRoundTrip() throws IOException {
        List<Event> events = SampleRun.oneOfEach();
        Set<Class<?>> kinds = events.stream().map(Object::getClass).collect(Collectors.toSet());
        assertEquals(Set.of(Event.class.getPermittedSubclasses()), kinds, "a kind of event is missing in this test");
        try (Journal journal = Journal.open(run, "trainer-0")) {
            events.forEach(event -> assertTrue(journal.append(event)));
            assertEquals(events.size(), journal.appended());
        }
        assertEquals(Set.copyOf(events), Set.copyOf(readAll(run)));
    }

    @Test
    void recordsAreSelfDescribing() throws IOException {
        Event step = SampleRun.step(1, 3);
        JsonNode json = new ObjectMapper().readTree(EventJson.write(step));
        assertEquals(1, json.get("v").intValue());
        assertEquals("step", json.get("type").textValue());
        assertEquals(0.001, json.at("/ledger/wait").doubleValue());
        assertFalse(json.get("ledger").has("total"));
    }

    /** Those of every step are written by hand, the others by reflection, which the tree is made by too. */
    @Test
    void everyEventIsWrittenWithAllOfItsFields() throws IOException {
        List<Event> events = new ArrayList<>(SampleRun.oneOfEach());
        events.add(new Event.Commit(1, "a \"node\" of \\ ü\n", 0, 1, 2, 0, 2, "0f"));
        events.add(new Event.Step(
                1,
                "n",
                3,
                4,
                5,
                6,
                1e-9,
                Double.NaN,
                Double.POSITIVE_INFINITY,
                1.25e-5,
                64,
                new Ledger(1e-5, 2, 3, 4, 5, Double.NEGATIVE_INFINITY),
                Double.NaN));
        for (Event event : events) {
            ObjectNode tree = EventJson.tree(event);
            ObjectMapper json = new ObjectMapper();
            assertEquals(json.readTree(json.writeValueAsBytes(tree)), json.readTree(EventJson.write(event)));
            assertEquals(event, EventJson.read(EventJson.write(event)).orElseThrow());
            assertEquals(event, EventJson.read(json.writeValueAsBytes(tree)).orElseThrow());
            assertEquals(
                    event instanceof Event.Lease || event instanceof Event.Commit,
                    EventJson.isSampleLedger(EventJson.write(event)),
                    event.toString());
        }
    }

    /** A step is read by hand, too: as the same, however its record is written, and not at all where it is damaged. */
    @Test
    void aStepIsReadAsItWasWritten() throws IOException {
        byte[] written = EventJson.write(SampleRun.step(1, 3));
        String text = new String(written, StandardCharsets.US_ASCII);
        Event later = EventJson.read(bytes(text.replace(",\"loss\":", ",\"unknown\":{\"a\":[1]},\"loss\":")))
                .orElseThrow();
        assertEquals(SampleRun.step(1, 3), later);
        Event.Step named = (Event.Step) EventJson.read(bytes(text.replace("trainer-1", "a \\\"node\\\" ü")))
                .orElseThrow();
        assertEquals("a \"node\" ü", named.node());
        for (int length = 0; length < written.length; length++) {
            byte[] torn = Arrays.copyOf(written, length);
            assertThrows(IOException.class, () -> EventJson.read(torn), length + " bytes");
        }
        assertThrows(IOException.class, () -> EventJson.read(bytes(text.replace(":3,", ":3x,"))));
    }

    @Test
    void aReaderSkipsWhatItIsTooOldFor() throws IOException {
        assertTrue(EventJson.read(bytes("{\"v\":1,\"type\":\"teleport\",\"node\":\"n\"}"))
                .isEmpty());
        assertTrue(EventJson.read(bytes("{\"v\":2,\"type\":\"step\"}")).isEmpty());
        Event known = EventJson.read(
                        bytes("{\"v\":1,\"type\":\"validation\",\"timeMillis\":5,\"node\":\"n\",\"step\":2,"
                                + "\"loss\":0.5,\"images\":3,\"seconds\":1,\"mood\":\"new field\"}"))
                .orElseThrow();
        assertEquals(new Event.Validation(5, "n", 2, 0.5, 3, 1, "model"), known);
        Event.Step older = (Event.Step) EventJson.read(bytes("{\"v\":1,\"type\":\"step\",\"step\":4,\"loss\":0.5}"))
                .orElseThrow();
        assertTrue(Double.isNaN(older.noiseScale()), "a step without a noise scale has none, not 0");
        Event.RunStarted started = (Event.RunStarted)
                EventJson.read(bytes("{\"v\":1,\"type\":\"run-started\"}")).orElseThrow();
        assertEquals("", started.origin());
        assertEquals(Event.RunStarted.Experiment.UNKNOWN, started.experiment());
        Event.Commit commit = (Event.Commit)
                EventJson.read(bytes("{\"v\":1,\"type\":\"commit\"}")).orElseThrow();
        assertEquals("", commit.digest());
        assertThrows(IOException.class, () -> EventJson.read(bytes("no json")));
        assertThrows(IOException.class, () -> EventJson.read(bytes("{\"type\":\"step\"}")));
    }

    @Test
    void journalsOfAllNodesAreMergedByTime() throws IOException {
        try (Journal a = Journal.open(run, "trainer-0");
                Journal b = Journal.open(run, "trainer-1")) {
            for (long step = 1; step <= 50; step++) {
                a.append(SampleRun.step(0, step, 1000 + 10 * step));
                b.append(SampleRun.step(1, step, 1000 + 10 * step + (step % 2 == 0 ? 3 : -3)));
            }
            // A clock that was set back does not turn a node's own order round.
            b.append(SampleRun.step(1, 51, 500));
        }
        List<Event> events = readAll(run);
        assertEquals(101, events.size());
        List<Long> times = events.stream().map(Event::timeMillis).limit(100).toList();
        assertEquals(times.stream().sorted().toList(), times);
        List<Long> own = events.stream()
                .filter(event -> event.node().equals("trainer-1"))
                .map(event -> ((Event.Step) event).step())
                .toList();
        assertEquals(own.stream().sorted().toList(), own);
    }

    @Test
    void aJournalCanBeReadWhileItIsWrittenAndContinuedLater() throws IOException {
        try (Journal journal = Journal.open(run, "n")) {
            journal.append(SampleRun.step(0, 1));
            assertEquals(1, readAll(run).size());
            journal.append(SampleRun.step(0, 2));
            assertEquals(2, readAll(run).size());
        }
        try (Journal journal = Journal.open(run, "n")) {
            journal.append(SampleRun.step(0, 3));
            assertEquals(3, readAll(run).size());
        }
    }

    @Test
    void manyActorsOfANodeAppendAtOnce() throws IOException {
        try (Journal journal = Journal.open(run, "n")) {
            IntStream.range(0, 4_000).parallel().forEach(i -> journal.append(SampleRun.step(0, i, 1)));
            assertEquals(0, journal.lost());
        }
        Set<Long> steps = new HashSet<>();
        readAll(run).forEach(event -> steps.add(((Event.Step) event).step()));
        assertEquals(4_000, steps.size());
    }

    @Test
    void aShortRunTakesLittleDisk() throws IOException {
        try (Journal journal = Journal.open(run, "n")) {
            SampleRun.until(100).forEach(journal::append);
        }
        long bytes = 0;
        try (Stream<Path> files = Files.walk(run)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
        }
        assertTrue(bytes < 4L << 20, "sparse size " + bytes);
    }

    @Test
    void aFullDiskLosesEventsButStopsNothing() throws IOException {
        try (Journal journal = Journal.open(run, "n", new JournalConfig(1 << 20, Long.MAX_VALUE, Retention.ALL))) {
            assertFalse(journal.append(SampleRun.step(0, 1)));
            assertFalse(journal.append(SampleRun.step(0, 2)));
            assertEquals(2, journal.lost());
        }
        assertEquals(List.of(), readAll(run));
    }

    @Test
    void anEventThatCannotBeWrittenIsCounted() throws IOException {
        Journal journal = Journal.open(run, "n");
        String huge = "x".repeat(8 << 20);
        assertFalse(journal.append(new Event.RunEnded(1, "n", 1, "failed", huge)));
        assertTrue(journal.append(SampleRun.step(0, 1)), "the journal must go on after an event that is too large");
        journal.close();
        journal.close();
        assertFalse(journal.append(SampleRun.step(0, 2)));
        assertEquals(2, journal.lost());
        assertEquals(1, readAll(run).size());
    }

    @Test
    void aRunDirectoryThatCannotBeUsedGivesOneClearLine() throws IOException {
        Path file = Files.writeString(run.resolve("file"), "x");
        IOException e = assertThrows(IOException.class, () -> Journal.open(file, "n"));
        assertTrue(e.getMessage().contains("cannot create the journal folder " + file), e.getMessage());
        assertThrows(IOException.class, () -> Journal.open(run, ".."));
    }

    @Test
    void nodeNamesBecomeFileNames() throws IOException {
        try (Journal journal = Journal.open(run, "pekko://x@h:1/a b")) {
            assertEquals(run.resolve("journal/pekko___x_h_1_a_b"), journal.folder());
        }
    }

    @Test
    void aTornTailKeepsWhatWasBeforeIt() throws IOException {
        try (Journal journal = Journal.open(run, "torn")) {
            SampleRun.until(2_000).forEach(journal::append);
        }
        List<Event> before = readAll(run);
        Path file = onlyCycleFile("torn");
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, 700_001));
        List<Event> after = readAll(run);
        assertTrue(after.size() > 500 && after.size() < before.size(), "read " + after.size());
        assertEquals(before.subList(0, after.size()), after);
    }

    /**
     * Of the last record any number of bytes may be on the disk when a machine stops, and what follows them may be missing or
     * zero. It lies across a border of pages, so that its end can be a page that is not there.
     */
    @Test
    void aRecordTornAtAnyByteKeepsAllThatWereBeforeIt() throws IOException {
        List<Event> events = new ArrayList<>();
        Path file;
        int from;
        int to;
        try (Journal journal = Journal.open(run, "n", new JournalConfig(1 << 18, 0, Retention.ALL))) {
            do {
                // Longer than a byte can tell.
                Event last = new Event.RunEnded(1, "n", events.size(), "failed", "x".repeat(200));
                assertTrue(journal.append(last));
                events.add(last);
                file = onlyCycleFile("n");
                byte[] record = EventJson.write(last);
                to = indexOf(Files.readAllBytes(file), record) + record.length;
                from = to - record.length - HEADER;
            } while (from / PAGE == (to - 1) / PAGE || events.size() < 10);
        }
        assertEquals(events, readAll(run));
        byte[] whole = Files.readAllBytes(file);
        for (int end = from; end <= to; end++) {
            List<Event> expected = end < to ? events.subList(0, events.size() - 1) : events;
            assertEquals(expected, readTorn(file, Arrays.copyOf(whole, end)), "cut at byte " + (end - from));
            byte[] zeroed = Arrays.copyOf(Arrays.copyOf(whole, end), whole.length);
            assertEquals(expected, readTorn(file, zeroed), "zero from byte " + (end - from));
        }
    }

    /** In another run directory each time: of a file that was read before something may still be mapped. */
    private List<Event> readTorn(Path file, byte[] bytes) throws IOException {
        Path copy = Files.createTempDirectory(run, "torn");
        Path journal = Files.createDirectories(copy.resolve("journal").resolve("n"));
        Files.write(journal.resolve(file.getFileName()), bytes);
        Files.copy(file.resolveSibling("metadata.cq4t"), journal.resolve("metadata.cq4t"));
        List<Event> events = readAll(copy);
        Files.delete(journal.resolve(file.getFileName()));
        return events;
    }

    private static int indexOf(byte[] bytes, byte[] record) {
        return IntStream.rangeClosed(0, bytes.length - record.length)
                .filter(at -> Arrays.equals(bytes, at, at + record.length, record, 0, record.length))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void garbageInTheFoldersIsTolerated() throws IOException {
        try (Journal journal = Journal.open(run, "good")) {
            journal.append(SampleRun.step(0, 1));
        }
        Path good = run.resolve("journal/good");
        Files.writeString(good.resolve("20010101-00F.cq4"), "garbage ".repeat(1_000));
        Files.writeString(good.resolve("20010101-01F.cq4"), "");
        Files.writeString(good.resolve("notes.cq4"), "garbage");
        Path bad = Files.createDirectories(run.resolve("journal/bad"));
        Files.writeString(bad.resolve("20010101-00F.cq4"), "garbage ".repeat(1_000));
        Files.writeString(bad.resolve("metadata.cq4t"), "garbage ".repeat(1_000));
        Files.createDirectories(run.resolve("journal/empty"));
        Files.writeString(run.resolve("journal/file"), "garbage");
        assertEquals(List.of(SampleRun.step(0, 1)), readAll(run));
    }

    @Test
    void aDamagedJournalIsSetAsideAndWritingGoesOn() throws IOException {
        Path folder = Files.createDirectories(run.resolve("journal/n"));
        Files.writeString(folder.resolve("metadata.cq4t"), "garbage ".repeat(1_000));
        try (Journal journal = Journal.open(run, "n")) {
            assertTrue(journal.append(SampleRun.step(0, 1)));
        }
        assertEquals(List.of(SampleRun.step(0, 1)), readAll(run));
    }

    @Test
    void ofAnOldJournalItsFirstAndItsNewestHourAreKept() throws IOException {
        for (int hour = 0; hour < 4; hour++) {
            try (Journal journal = Journal.open(run, "n")) {
                journal.append(SampleRun.step(0, hour));
            }
            renameTo(run.resolve("journal/n"), "20260101-0" + hour + "F.cq4");
        }
        Path folder = run.resolve("journal/n");
        assertEquals(4, readAll(run).size());
        long bytes = Files.size(folder.resolve("20260101-00F.cq4"));
        // By size: of the five, with the file that is begun now, there is room for three.
        append(new Retention(0, 3 * bytes), 4);
        assertEquals(List.of(0L, 3L, 4L), steps());
        append(new Retention(0, 3 * bytes), 5);
        assertEquals(List.of(0L, 3L, 4L, 5L), steps());
        // By age.
        append(new Retention(1, 0), 6);
        assertEquals(List.of(0L, 3L, 4L, 5L, 6L), steps(), "none is a day old");
        Files.setLastModifiedTime(
                folder.resolve("20260101-03F.cq4"), FileTime.from(Instant.now().minus(Duration.ofHours(25))));
        append(new Retention(1, 0), 7);
        assertEquals(List.of(0L, 4L, 5L, 6L, 7L), steps());
        append(Retention.ALL, 8);
        assertEquals(List.of(0L, 4L, 5L, 6L, 7L, 8L), steps());
    }

    private void append(Retention retention, long step) throws IOException {
        try (Journal journal = Journal.open(run, "n", JournalConfig.keeping(retention))) {
            assertTrue(journal.append(SampleRun.step(0, step)));
        }
    }

    private List<Long> steps() throws IOException {
        return readAll(run).stream().map(event -> ((Event.Step) event).step()).toList();
    }

    /** As if its only new file had been written at another time. */
    private static void renameTo(Path folder, String name) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String was = file.getFileName().toString();
                if (!was.endsWith(".cq4")) {
                    Files.delete(file);
                } else if (!was.startsWith("20260101-")) {
                    Files.move(file, folder.resolve(name));
                }
            }
        }
    }

    @Test
    void exportsJsonLinesAndCsv() throws IOException {
        List<Event> events = SampleRun.oneOfEach();
        try (Journal journal = Journal.open(run, "n")) {
            events.forEach(journal::append);
        }
        String[] lines = export(Format.JSONL).lines().toArray(String[]::new);
        assertEquals(events.size(), lines.length);
        List<Event> parsed = new ArrayList<>();
        for (String line : lines) {
            parsed.add(EventJson.read(bytes(line)).orElseThrow());
        }
        assertEquals(Set.copyOf(events), Set.copyOf(parsed));

        String csv = export(Format.CSV);
        String header = csv.substring(0, csv.indexOf('\n'));
        assertTrue(header.startsWith("type,timeMillis,node,run,"), header);
        assertTrue(header.contains(",ledger.fetch,ledger.decode,ledger.wait,"), header);
        assertTrue(csv.contains("\"a,\"\"b\"\"\n.tar\""), csv);
        String row =
                csv.lines().filter(line -> line.startsWith("step,")).findFirst().orElseThrow();
        List<String> names = List.of(header.split(",", -1));
        assertEquals("0.3", row.split(",", -1)[names.indexOf("ledger.wait")]);
        assertEquals(names.size(), row.split(",", -1).length);
        assertEquals(
                Ledger.class.getRecordComponents().length,
                names.stream().filter(n -> n.startsWith("ledger.")).count());
    }

    @Test
    void exportOfNothingSaysWhatToDo() {
        IOException e = assertThrows(IOException.class, () -> export(Format.JSONL));
        assertTrue(e.getMessage().startsWith("no journal in " + run), e.getMessage());
        assertEquals(Format.CSV, Format.of("csv"));
        var unknown = assertThrows(IllegalArgumentException.class, () -> Format.of("xml"));
        assertEquals("unknown format 'xml': choose jsonl or csv", unknown.getMessage());
    }

    private String export(Format format) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        MetricsExport.write(run, format, new PrintStream(bytes, true, StandardCharsets.UTF_8));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private Path onlyCycleFile(String node) throws IOException {
        try (Stream<Path> files = Files.list(run.resolve("journal").resolve(node))) {
            return files.filter(file -> file.toString().endsWith(".cq4"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
