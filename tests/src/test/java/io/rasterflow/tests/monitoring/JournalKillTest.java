package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.tests.Jvm;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class JournalKillTest {

    /** Appends steps for as long as it lives, and says on stdout which ones are in. */
    static final class Writer {
        public static void main(String[] args) throws IOException {
            try (Journal journal = Journal.open(Path.of(args[0]), "victim")) {
                for (long step = 1; journal.append(SampleRun.step(0, step)); step++) {
                    if (step % 100 == 0) {
                        System.out.println("in " + step);
                        System.out.flush();
                    }
                }
            }
        }
    }

    @Test
    @Timeout(60)
    void killedInTheMiddleOfWritingLosesNothingThatWasAppended(@TempDir Path run) throws Exception {
        Process writer =
                Jvm.start(List.of("-Drasterflow.sample.start=" + SampleRun.start), Writer.class, run.toString());
        long promised = 0;
        try (var lines = new BufferedReader(new InputStreamReader(writer.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("in ")) {
                    promised = Long.parseLong(line.substring(3));
                }
                if (promised >= 3_000) {
                    // Not Process.destroyForcibly: it closes the pipe, and what is still in it counts.
                    writer.toHandle().destroyForcibly();
                }
            }
        } finally {
            writer.destroyForcibly();
        }
        assertTrue(writer.waitFor(10, TimeUnit.SECONDS));
        assertEquals(137, writer.exitValue(), "it was to die of SIGKILL");
        assertTrue(promised >= 3_000, "it wrote " + promised);

        List<Event> events = JournalTest.readAll(run);
        assertTrue(events.size() >= promised, "promised " + promised + ", read " + events.size());
        for (int i = 0; i < events.size(); i++) {
            assertEquals(SampleRun.step(0, i + 1), events.get(i));
        }

        // The successor, which has the same name, goes on where the dead one stopped.
        try (Journal journal = Journal.open(run, "victim")) {
            assertTrue(journal.append(SampleRun.step(0, 1_000_000)));
        }
        List<Event> continued = JournalTest.readAll(run);
        assertEquals(SampleRun.step(0, 1_000_000), continued.get(continued.size() - 1));
        assertEquals(events, continued.subList(0, events.size()));
    }
}
