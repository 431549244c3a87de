package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.compare.AcrossRuns;
import io.rasterflow.monitoring.compare.ComparedRun;
import io.rasterflow.monitoring.compare.Comparison;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.monitor.RunUpdate.Tail;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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
    void whatRunsTellTogetherIsFoundAnewWhenOneHasNewWeights() throws IOException {
        Path own = Files.createDirectory(folder.resolve("own"));
        List<Path> others = new ArrayList<>();
        for (long parameters : new long[] {30_000, 100_000, 300_000}) {
            Path other = Files.createDirectory(folder.resolve("run-" + parameters));
            SizedRun.write(other, parameters, "pixels");
            others.add(other);
        }
        AtomicLong nanos = new AtomicLong();
        try (Comparison comparison = Comparison.of(own, others, nanos::get)) {
            Comparison.Findings first = comparison.together(0);
            assertEquals(3, first.found().runs().size());
            assertEquals(3, first.found().correlations().get("attentive").points());
            assertEquals("", first.found().missing());
            AcrossRuns.Law law = first.found().laws().get(0);
            assertEquals("parameters", law.title());
            assertEquals(
                    others.stream().map(Path::toString).toList(),
                    law.runs().stream().map(AcrossRuns.Dot::label).toList());
            assertEquals(900_000, law.nextSize(), 1e-3);
            assertEquals(
                    law.next().value(), law.curve().get(law.curve().size() - 1).loss(), 1e-9);
            assertTrue(
                    law.lines().toString().contains("has no intervals"),
                    law.lines().toString());
            assertEquals(
                    List.of("left out: this run: no event yet"), first.found().notes());

            nanos.addAndGet(Duration.ofSeconds(2).toNanos());
            assertNull(comparison.together(first.version()).found(), "nothing is new");
            SizedRun.write(own, 1_000_000, "pixels");
            nanos.addAndGet(Duration.ofSeconds(2).toNanos());
            Comparison.Findings second = comparison.together(first.version());
            assertTrue(second.version() > first.version());
            assertEquals("this run", second.found().laws().get(0).runs().get(3).label());
            assertTrue(
                    Double.isFinite(second.found().laws().get(0).curve().get(0).low()), "an interval");

            Path unlike = Files.createDirectory(folder.resolve("unlike"));
            SizedRun.write(unlike, 2_000_000, "tokens");
            try (Comparison mixed = Comparison.of(own, List.of(others.get(0), unlike), nanos::get)) {
                AcrossRuns found = mixed.together(0).found();
                assertTrue(found.missing().contains("their objective differ (pixels; tokens)"), found.missing());
                assertEquals(found.missing(), found.uncorrelated());
                assertEquals(List.of(), found.laws());
            }
        }
        assertEquals(List.of(), Comparison.NONE.together(0).found().runs());
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
