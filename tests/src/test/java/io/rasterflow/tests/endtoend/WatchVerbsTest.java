package io.rasterflow.tests.endtoend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.rasterflow.cli.Main;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.tests.Paired;
import io.rasterflow.tests.monitoring.SampleRun;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rasterflow report} and {@code rasterflow top} as a user calls them. */
@Paired
class WatchVerbsTest {

    @TempDir
    private Path directory;

    private Path journalled() throws IOException {
        Path run = directory.resolve("run");
        List<Event> events = new ArrayList<>(SampleRun.until(400));
        events.add(SampleRun.ended());
        try (Journal journal = Journal.open(run, "main")) {
            events.forEach(journal::append);
        }
        return run;
    }

    @Test
    void aRunIsReportedAndShown() throws Exception {
        Path run = journalled();
        Files.writeString(run.resolve("config.conf"), "name = sample\n");
        Rasterflow.Result report = new Rasterflow(directory).run("report", "--run", run, "--json");
        assertEquals(0, report.exit(), report.text());
        assertTrue(report.out().contains("Validation loss fell from 0.9150"), report.text());
        assertEquals("completed", report.json().get("outcome").asText());
        assertEquals(3, report.json().get("correlationPoints").asInt());
        Path page = Path.of(report.json().get("report").asText());
        assertEquals(run.resolve("report.html"), page);
        assertTrue(Files.readString(page).contains("name = sample"));

        Rasterflow.Result top = new Rasterflow(directory).run("top", "--run", run, "--once");
        assertEquals(0, top.exit(), top.text());
        assertTrue(top.out().startsWith("fashion-aim  completed"), top.text());
        assertTrue(top.out().contains("\nloss ") && top.out().contains("\nrank 1 "), top.text());
        assertFalse(top.out().contains("\u001b"), "escape codes");
        Rasterflow.Result live = new Rasterflow(directory).run("top", "--run", run);
        assertEquals(2, live.exit(), live.text());
        assertTrue(live.err().contains("top needs a terminal"), live.text());
    }

    @Test
    void aTerminalIsWatchedAndRestored() throws Exception {
        Path script = Path.of("/usr/bin/script");
        assumeTrue(Files.isExecutable(script), "no terminal to be had: apt-get install bsdutils");
        Path run = journalled();
        for (String key : List.of("q", "\u0003")) {
            Path screen = directory.resolve("screen");
            String inside = "stty rows 24 cols 70; stty -g >before; '" + Rasterflow.HOME.resolve("rasterflow")
                    + "' top --run '" + run + "'; echo \"exit $?\"; stty -g >after";
            ProcessBuilder builder = new ProcessBuilder(script.toString(), "-qefc", inside, screen.toString())
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(directory.resolve("ignored").toFile());
            builder.environment()
                    .putAll(Map.of("TERM", "xterm-256color", "JAVA_HOME", System.getProperty("java.home")));
            Process process = builder.start();
            try (OutputStream keys = process.getOutputStream()) {
                Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> read(screen)
                        .contains("fashion-aim"));
                keys.write(key.getBytes(StandardCharsets.US_ASCII));
                keys.flush();
                assertTrue(process.waitFor(20, TimeUnit.SECONDS), read(screen));
            } finally {
                process.destroyForcibly();
            }
            String shown = read(screen);
            assertTrue(shown.contains("exit 0"), shown);
            assertTrue(shown.indexOf("\u001b[?1049h") >= 0, "no alternate screen");
            assertTrue(shown.lastIndexOf("\u001b[?1049l") > shown.lastIndexOf("fashion-aim"), "it stays");
            assertEquals(settings(directory.resolve("before")), settings(directory.resolve("after")), key);
            Files.delete(screen);
        }
    }

    /** What {@code stty -g} says, without the line's speed (CBAUD), which JLine drops and a pseudo terminal has not. */
    private static List<String> settings(Path file) throws IOException {
        List<String> fields =
                new ArrayList<>(List.of(Files.readString(file).strip().split(":")));
        fields.set(2, Integer.toHexString(Integer.parseInt(fields.get(2), 16) & ~0x100f));
        return fields;
    }

    private static String read(Path file) throws IOException {
        return Files.exists(file) ? Files.readString(file) : "";
    }

    @Test
    void whatCannotBeIsOneLine() throws IOException {
        Path run = journalled();
        Path empty = Files.createDirectories(directory.resolve("empty"));
        for (List<String> words : List.of(
                List.of("2", "is not a run directory", "report", "--run", "nowhere"),
                List.of("1", "no journal in", "report", "--run", empty.toString()),
                List.of("2", "is a folder", "report", "--run", run.toString(), "--out", empty.toString()),
                List.of("2", "is not a run directory", "top", "--once", "--run", "nowhere"),
                List.of("1", "no journal in", "top", "--once", "--run", empty.toString()),
                List.of("2", "no http address", "top", "--once", "--url", "ftp://host/"),
                List.of("1", "no page at", "top", "--once", "--url", "http://127.0.0.1:9/"))) {
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            int exit = Main.run(
                    new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8),
                    new PrintStream(err, true, StandardCharsets.UTF_8),
                    words.subList(2, words.size()).toArray(String[]::new));
            String text = err.toString(StandardCharsets.UTF_8);
            assertEquals(words.get(0), Integer.toString(exit), text);
            assertEquals(1, text.lines().count(), text);
            assertTrue(text.contains(words.get(1)), text);
        }
    }
}
