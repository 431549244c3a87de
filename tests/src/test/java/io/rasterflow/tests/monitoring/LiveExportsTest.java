package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.export.ExportKind;
import io.rasterflow.monitoring.export.LiveExports;
import io.rasterflow.monitoring.export.TensorBoardExport;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.journal.MetricsExport;
import io.rasterflow.monitoring.journal.MetricsExport.Format;
import io.rasterflow.tests.Jvm;
import io.rasterflow.tests.LogLines;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class LiveExportsTest {

    private static final List<ExportKind> ALL = List.of(ExportKind.values());
    private static final int MANY = 150_000;

    @TempDir
    private Path run;

    private Path jsonl() {
        return run.resolve("metrics.jsonl");
    }

    private Path csv() {
        return run.resolve("metrics.csv");
    }

    private List<Path> inFolder(String name) throws IOException {
        try (Stream<Path> files = Files.list(run.resolve(name))) {
            return files.toList();
        }
    }

    private static void awaitLine(Path file, String part) {
        Awaitility.await()
                .atMost(30, TimeUnit.SECONDS)
                .until(() -> Files.exists(file) && Files.readString(file).contains(part));
    }

    private byte[] afterwards(Format format) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        MetricsExport.write(run, format, new PrintStream(bytes, false, StandardCharsets.UTF_8));
        return bytes.toByteArray();
    }

    /** What was written live is what is exported now. */
    private void assertWhole() throws IOException {
        assertArrayEquals(afterwards(Format.JSONL), Files.readAllBytes(jsonl()));
        assertArrayEquals(afterwards(Format.CSV), Files.readAllBytes(csv()));
        List<Path> eventFiles = inFolder("tensorboard");
        assertEquals(1, eventFiles.size(), eventFiles.toString());
        Path exported = TensorBoardExport.write(run, run.resolve("exported"));
        assertEquals(exported.getFileName(), eventFiles.get(0).getFileName());
        assertArrayEquals(Files.readAllBytes(exported), Files.readAllBytes(eventFiles.get(0)));
        try (Stream<Path> files = Files.list(run)) {
            assertTrue(files.noneMatch(file -> file.toString().endsWith(".partial")), "something is left over");
        }
    }

    private static String stepLine(long step) {
        return "\"step\":" + step + ",";
    }

    @Test
    void theyGrowWithTheRunAndEndAsTheExportsMadeAfterwards() throws IOException {
        SampleImages.write(new ImageArchive(run), 0);
        List<Event> events = new ArrayList<>(List.of(SampleRun.images(0), SampleRun.histograms(0)));
        events.addAll(SampleRun.until(100));
        try (LiveExports exports = LiveExports.start(run, ALL);
                Journal main = Journal.open(run, "main")) {
            events.forEach(main::append);
            awaitLine(jsonl(), stepLine(100));
            awaitLine(csv(), ",100,");
            Path eventFile = inFolder("tensorboard").get(0);
            long bytes = Files.size(eventFile);
            assertTrue(bytes > 0);
            try (Journal later = Journal.open(run, "trainer-1")) {
                later.append(new Event.Lease(SampleRun.at(101), "trainer-1", 1, 1, 101, 0, 0, 32));
                LongStream.rangeClosed(101, 140).forEach(step -> later.append(SampleRun.step(1, step)));
                awaitLine(jsonl(), stepLine(140));
                assertTrue(Files.size(eventFile) > bytes, "the event file does not grow");
            }
            main.append(SampleRun.badSample(200, 1));
        }
        assertTrue(Files.readString(jsonl()).contains("\"lease\""), "without the ledger of samples");
        assertWhole();
    }

    @Test
    void picturesAreThoseThatTheEvaluationLeaves() throws IOException {
        ImageArchive archive = new ImageArchive(run);
        try (LiveExports exports = LiveExports.start(run, ALL);
                Journal main = Journal.open(run, "main")) {
            SampleImages.write(archive, 10);
            main.append(SampleRun.images(10));
            main.append(SampleRun.step(0, 11));
            awaitLine(jsonl(), stepLine(11));
            SampleImages.writeAttended(archive, 10, List.of(""));
            main.append(SampleRun.probe(10));
            main.append(SampleRun.histograms(10));
        }
        assertWhole();
    }

    @Test
    void whoTakesOverWritesEveryRowOnce() throws IOException {
        LiveExports hanging = LiveExports.start(run, ALL);
        try (Journal main = Journal.open(run, "main")) {
            SampleRun.until(50).forEach(main::append);
            awaitLine(jsonl(), stepLine(50));
            try (LiveExports heir = LiveExports.start(run, ALL)) {
                main.append(SampleRun.step(0, 51));
                awaitLine(jsonl(), stepLine(51));
                main.append(SampleRun.started(50));
                LongStream.rangeClosed(51, 60).forEach(step -> main.append(SampleRun.step(0, step)));
            }
        } finally {
            hanging.close();
        }
        assertWhole();
        Files.writeString(
                run.resolve("tensorboard/events.out.tfevents.0000000007.rasterflow"), "of hours now forgotten");
        Path killed = Files.writeString(run.resolve(".jsonl-1-1.partial"), "of a process that was killed");
        Files.setLastModifiedTime(killed, FileTime.from(Instant.now().minus(1, ChronoUnit.HOURS)));
        LiveExports.start(run, ALL).close();
        assertWhole();
    }

    @Test
    void whatCannotBeWrittenIsSaidOnceAndTheOthersGoOn() throws IOException {
        Files.writeString(run.resolve("tensorboard"), "a file in place of the folder");
        Files.createDirectories(csv().resolve("in the way"));
        try (LogLines logged = new LogLines();
                Journal main = Journal.open(run, "main")) {
            try (LiveExports exports = LiveExports.start(run, ALL)) {
                SampleRun.until(50).forEach(main::append);
                awaitLine(jsonl(), stepLine(50));
                assertTrue(main.append(SampleRun.step(0, 51)));
                awaitLine(jsonl(), stepLine(51));
            }
            List<String> lines = logged.of(LiveExports.class.getName());
            assertEquals(2, lines.size(), lines.toString());
            assertTrue(
                    lines.get(0).startsWith("monitor.exports: tensorboard ends and the run goes on: ")
                            && lines.get(0).contains(run.resolve("tensorboard") + " is no folder"),
                    lines.get(0));
            assertTrue(lines.get(1).startsWith("monitor.exports: csv ends and the run goes on: "), lines.get(1));
            assertTrue(lines.stream().allMatch(line -> line.lines().count() == 1), lines.toString());
            assertEquals(0, main.lost());
        }
        assertEquals("a file in place of the folder", Files.readString(run.resolve("tensorboard")));
        assertArrayEquals(afterwards(Format.JSONL), Files.readAllBytes(jsonl()));
        try (Stream<Path> files = Files.list(run)) {
            assertTrue(files.noneMatch(file -> file.toString().endsWith(".partial")), "something is left over");
        }
    }

    @Test
    void aLongRunIsWrittenInLittleMemory() throws IOException, InterruptedException {
        try (Journal main = Journal.open(run, "main")) {
            for (long step = 1; step <= MANY; step++) {
                main.append(SampleRun.step(0, step));
            }
        }
        Process small = Jvm.start(List.of("-Xmx40m"), Small.class, run.toString());
        assertTrue(small.waitFor(110, TimeUnit.SECONDS), "it hangs");
        assertEquals(0, small.exitValue());
        try (Stream<String> lines = Files.lines(jsonl())) {
            assertEquals(MANY, lines.count());
        }
    }

    /** A JVM of its own. */
    static final class Small {
        private Small() {}

        public static void main(String[] args) {
            Path run = Path.of(args[0]);
            try (LiveExports exports = LiveExports.start(run, ALL)) {
                Awaitility.await().atMost(90, TimeUnit.SECONDS).until(() -> Files.exists(run.resolve("metrics.csv")));
            }
        }
    }
}
