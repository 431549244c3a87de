package io.rasterflow.tests.monitoring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.monitoring.audit.Audit;
import io.rasterflow.monitoring.audit.AuditResult;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.EventJson;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.journal.Journals;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An audit of real journal files of which one was cut somewhere. */
class TornAuditTest {

    private static final int STEPS = 20;
    private static final int BATCH = 16;

    @TempDir
    Path run;

    private List<Event> own;
    private Path file;
    private byte[] whole;

    /** Rank 1 gave its part of the last step and died before it had applied it. */
    @BeforeEach
    void write() throws IOException {
        RunHistory history = new RunHistory(BATCH, 4).start().form(0, "trainer-1", "trainer-2");
        history.steps(0, STEPS - 1).lease(0, STEPS - 1).lease(1, STEPS - 1).commit(0, STEPS - 1);
        history.end(STEPS, "stopped");
        Map<String, Journal> journals = new HashMap<>();
        for (Event event : history.events) {
            if (!journals.containsKey(event.node())) {
                journals.put(event.node(), Journal.open(run, event.node()));
            }
            assertTrue(journals.get(event.node()).append(event));
        }
        journals.values().forEach(Journal::close);
        own = history.events.stream()
                .filter(event -> event.node().equals("trainer-2"))
                .toList();
        try (Stream<Path> files = Files.list(run.resolve("journal/trainer-2"))) {
            file = files.filter(path -> path.toString().endsWith(".cq4"))
                    .findFirst()
                    .orElseThrow();
        }
        whole = Files.readAllBytes(file);
    }

    private AuditResult audit() throws IOException {
        Audit audit = new Audit();
        try (Stream<Event> events = Journals.read(run, audit::damaged)) {
            events.forEach(audit::add);
        }
        return audit.result();
    }

    private AuditResult auditOfTheFirst(int bytes) throws IOException {
        Files.write(file, Arrays.copyOf(whole, bytes));
        return audit();
    }

    private int endOf(Event event) {
        byte[] record = EventJson.write(event);
        String text = new String(whole, StandardCharsets.ISO_8859_1);
        int at = text.indexOf(new String(record, StandardCharsets.ISO_8859_1));
        assertTrue(at > 0, "the record is not in the file as it is written");
        return at + record.length;
    }

    @Test
    void aJournalCutWithinItsLastRecordLosesThatRecordAndNoMore() throws IOException {
        assertTrue(audit().passed());
        Event last = own.get(own.size() - 1);
        int end = endOf(last);
        int begin = end - EventJson.write(last).length;
        for (int bytes = begin - 4; bytes < end; bytes += 13) {
            AuditResult result = auditOfTheFirst(bytes);
            assertEquals(0, result.missing(), "cut at " + (bytes - begin) + ": " + result.findings());
            assertEquals(0, result.duplicated());
            assertEquals(BATCH / 4, result.unprovable(), "cut at " + (bytes - begin) + ": " + result.findings());
            assertTrue(result.findings().get(0).text().contains("no lease of micro-batch 3; the journal of rank 1"));
        }
    }

    @Test
    void aJournalCutAnywhereProvesWhatIsLeftOfIt() throws IOException {
        long before = (long) STEPS * BATCH;
        for (int i = 2; i < own.size(); i += 19) {
            AuditResult result = auditOfTheFirst(endOf(own.get(i)) - 20);
            assertEquals(0, result.missing(), result.findings()::toString);
            assertEquals(0, result.duplicated());
            long leases = own.subList(i, own.size()).stream()
                    .filter(event -> event instanceof Event.Lease)
                    .mapToLong(event -> ((Event.Lease) event).images())
                    .sum();
            assertEquals(leases, result.unprovable(), result.findings()::toString);
            assertTrue(result.unprovable() < before);
            before = result.unprovable();
        }
    }

    @Test
    void aFileThatIsNoJournalAnyMoreProvesNothing() throws IOException {
        AuditResult result = auditOfTheFirst(100);
        assertEquals(0, result.missing(), result.findings()::toString);
        assertEquals(STEPS * BATCH / 2, result.unprovable(), result.findings()::toString);
    }
}
