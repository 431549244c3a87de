package io.rasterflow.monitoring.journal;

import java.nio.file.Path;
import net.openhft.chronicle.queue.RollCycles;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueue;
import net.openhft.chronicle.queue.impl.single.SingleChronicleQueueBuilder;

/** Opens Chronicle queues the same way for writing and reading. */
final class Queues {

    static final RollCycles ROLL_CYCLE = RollCycles.FAST_HOURLY;
    /** A writer that was killed leaves a half-written record: its successor waits so long for its lock, then goes on. */
    static final long LOCK_MILLIS = 1_000;

    static final String SUFFIX = SingleChronicleQueue.SUFFIX;

    static {
        // Read once when Chronicle's classes load: neither posts to an analytics service nor watches the disk.
        System.setProperty("chronicle.analytics.disable", "true");
        System.setProperty("chronicle.disk.monitor.disable", "true");
        System.setProperty("chronicle.announcer.disable", "true");
        // How long a start waits for a table of contents that is damaged, before it is set aside.
        if (System.getProperty("chronicle.table.store.timeoutMS") == null) {
            System.setProperty("chronicle.table.store.timeoutMS", "2000");
        }
    }

    private Queues() {}

    /** Where the journals of a run lie. */
    static Path folder(Path runDir) {
        return runDir.resolve("journal");
    }

    static SingleChronicleQueue open(Path folder, JournalConfig config, boolean readOnly) {
        return SingleChronicleQueueBuilder.binary(folder)
                .rollCycle(ROLL_CYCLE)
                .blockSize(config.blockBytes())
                .timeoutMS(LOCK_MILLIS)
                .readOnly(readOnly)
                .build();
    }
}
