package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.compare.ComparedRun;
import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComparisonTest {

    @TempDir
    Path folder;

    @Test
    void aRunThatIsBeingWrittenIsReadOn() throws IOException {
        Path begun = Files.createDirectory(folder.resolve("begun"));
        Path later = Files.createDirectory(folder.resolve("later"));
        AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1);
        try (Comparison comparison = Comparison.of(folder.resolve("own"), List.of(begun, later), nanos::get);
                Journal journal = Journal.open(begun, "main")) {
            SampleRun.until(200).forEach(journal::append);
            Comparison.Answer first = comparison.since(0);
            ComparedRun run = first.runs().get(0);
            assertEquals(begun.toString(), run.label());
            assertEquals("", run.trouble());
            assertEquals(SampleRun.BATCH, run.globalBatch());
            assertEquals(2, run.probes().size());
            assertEquals("no event yet", first.runs().get(1).trouble());
            assertEquals(List.of(0L, 200L), run.curves().get("validation").steps());
            Tail seconds = run.curves().get("seconds");
            assertEquals(200, seconds.steps().get(seconds.steps().size() - 1));
            double last = seconds.values().get(seconds.values().size() - 1);
            assertEquals(200 * SampleRun.STEP_SECONDS, last, 0.01);

            assertNull(comparison.since(first.version()).runs(), "nothing is new");
            for (long step = 201; step <= 300; step++) {
                journal.append(SampleRun.step(0, step));
            }
            assertNull(comparison.since(first.version()).runs(), "they are read once a second, however many ask");
            assertSame(first.runs(), comparison.since(0).runs());
            nanos.addAndGet(Duration.ofSeconds(1).toNanos());
            Comparison.Answer second = comparison.since(first.version());
            assertTrue(second.version() > first.version());
            Tail loss = second.runs().get(0).curves().get("loss");
            assertEquals(300, loss.steps().get(loss.steps().size() - 1));
        }
    }

    @Test
    void whatIsNoOtherRunIsNamed() throws IOException {
        Path other = Files.createDirectory(folder.resolve("other"));
        refused("names " + folder.resolve("nowhere") + ", which is no run directory", folder.resolve("nowhere"));
        refused("which is drawn already", other, folder.resolve("other/../other"));
        refused("which is drawn already", folder);
    }

    private void refused(String expected, Path... directories) {
        String message = assertThrows(IllegalArgumentException.class, () -> Comparison.of(folder, List.of(directories)))
                .getMessage();
        assertTrue(message.startsWith("monitor.compare ") && message.contains(expected), message);
    }
}
