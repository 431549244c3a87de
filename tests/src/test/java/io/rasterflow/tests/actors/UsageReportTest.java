package io.rasterflow.tests.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.rasterflow.actors.node.UsageReport;
import io.rasterflow.model.program.Engines;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.journal.Journal;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.monitoring.monitor.MonitorActor;
import io.rasterflow.monitoring.monitor.Telemetry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node says that it takes of its machine. */
class UsageReportTest {

    @TempDir
    Path run;

    private Event.Usage told(Supplier<List<Engines.GpuMemory>> gpus) throws IOException {
        TestInbox<MonitorActor.Command> monitor = TestInbox.create();
        try (Journal journal = Journal.open(run, "node")) {
            UsageReport report = new UsageReport("node", gpus, new Telemetry(journal, monitor.getRef()), Runnable::run);
            report.heartbeat();
            report.heartbeat();
        }
        try (Stream<Event> events = Journals.read(run)) {
            List<Event> journalled = events.toList();
            assertEquals(1, journalled.size(), "a heartbeat that follows at once says nothing");
            assertEquals(new MonitorActor.Record(journalled.get(0)), monitor.receiveMessage());
            return (Event.Usage) journalled.get(0);
        }
    }

    private static void assertShare(double share, String text) {
        assertTrue(share >= 0 && share <= 1, text);
    }

    @Test
    void theProcessorAndTheMemoryOfThisProcessArePlausible() throws IOException {
        Event.Usage usage = told(() -> Engines.gpuMemory("cpu", 1));
        String text = usage.toString();
        assertEquals("node", usage.node());
        assertShare(usage.processCpu(), text);
        assertTrue(usage.processCpu() > 0, "the tests took some time: " + text);
        assertTrue(Double.isNaN(usage.machineCpu()) || usage.machineCpu() >= 0 && usage.machineCpu() <= 1, text);
        assertEquals(Runtime.getRuntime().availableProcessors(), usage.cores());
        assertTrue(usage.heapBytes() > 0 && usage.heapBytes() <= usage.heapMaxBytes(), text);
        assertTrue(usage.residentBytes() > usage.heapBytes(), text);
        assertTrue(usage.memoryBytes() > usage.residentBytes(), text);
        assertTrue(usage.availableBytes() > 0 && usage.availableBytes() < usage.memoryBytes(), text);
        assertEquals(List.of(), usage.gpus(), "it computes on none");
    }

    @Test
    void theMemoryOfGpusIsToldWhereItCanBeHad() throws IOException {
        assertEquals(
                List.of(new Event.Usage.Gpu("cuda:0", 3, 4)),
                told(() -> List.of(new Engines.GpuMemory("cuda:0", 3, 4))).gpus());
    }

    @Test
    void aDriverThatFailsCostsOnlyTheGpus() throws IOException {
        Event.Usage usage = told(() -> {
            throw new IllegalStateException("CUDA_ERROR_UNKNOWN");
        });
        assertEquals(List.of(), usage.gpus());
        assertTrue(usage.residentBytes() > 0, usage.toString());
    }

    /** On a machine with GPUs the memory of the first, on any other nothing. */
    @Test
    void theGpusOfTheEngineTellTheirMemory() {
        List<Engines.GpuMemory> memories = Engines.gpuMemory("auto", 1);
        assertEquals(Math.min(1, Engines.gpus()), memories.size());
        for (Engines.GpuMemory memory : memories) {
            assertEquals("cuda:0", memory.device());
            assertTrue(memory.usedBytes() > 0 && memory.usedBytes() <= memory.totalBytes(), memory.toString());
        }
        assertEquals(List.of(), Engines.gpuMemory("cuda:1", 1), "it would set up a context on the first");
    }
}
