package io.rasterflow.actors.exchange;

import io.rasterflow.actors.exchange.ExchangeConfig.Transport;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes {@link SharedSegment}s in /dev/shm or, where that is missing or full, in the temporary directory. Their names tell
 * which process made them (namespace, id and start time), so that those of dead processes can be told apart and deleted.
 */
final class SharedMemory {

    static final Logger LOG = LoggerFactory.getLogger(SharedMemory.class);

    /** Where segments are made instead. */
    static final String DIRECTORY_PROPERTY = "rasterflow.exchange.directory";

    private static final String PREFIX = "rasterflow-exchange-";
    private static final Pattern NAME = Pattern.compile(PREFIX + "(\\d+)-(\\d+)-(\\d+)-\\d+");
    private static final AtomicLong COUNT = new AtomicLong();

    /** Memory of generations that are over which the collector may leave mapped. */
    private static final long STALE_BYTES = 64 << 20;

    private static final AtomicLong STALE = new AtomicLong();

    private final Transport transport;
    private final List<Path> directories;

    SharedMemory(Transport transport) {
        this.transport = transport;
        String given = System.getProperty(DIRECTORY_PROPERTY);
        this.directories = given != null
                ? List.of(Path.of(given))
                : List.of(Path.of("/dev/shm"), Path.of(System.getProperty("java.io.tmpdir")));
        if (transport != Transport.TCP) {
            directories.forEach(SharedMemory::sweep);
        }
    }

    /**
     * Room for a rank's gradients that peers can read, or empty where the transport does not ask for it.
     *
     * @throws ExchangeException if the transport insists and there is none
     */
    Optional<SharedSegment> segment(ReductionPlan plan, int rank) {
        if (transport == Transport.TCP) {
            return Optional.empty();
        }
        if (STALE.get() >= STALE_BYTES) {
            // As the JVM does for direct memory: mappings alone never make the collector run.
            STALE.set(0);
            System.gc();
        }
        long needed = new SegmentLayout(plan, rank).bytes();
        List<String> refusals = new ArrayList<>();
        for (Path directory : directories) {
            try {
                if (!Files.isDirectory(directory)) {
                    throw new IOException("there is no such directory");
                }
                long free = Files.getFileStore(directory).getUsableSpace();
                if (free < needed) {
                    throw new IOException(free + " bytes are free");
                }
                return Optional.of(new SharedSegment(directory.resolve(name()), plan, rank));
            } catch (IOException | UnsupportedOperationException e) {
                refusals.add(directory + ": " + e.getMessage());
            }
        }
        String reason = "no shared memory of " + needed + " bytes (" + String.join("; ", refusals) + ")";
        if (transport == Transport.SHM) {
            throw new ExchangeException(
                    reason + ": make room there, or set exchange.transport to auto, which takes sockets then");
        }
        LOG.warn("{}: gradients go over sockets", reason);
        return Optional.empty();
    }

    /** A segment's generation is over. */
    static void ended(SharedSegment segment) {
        segment.unlink();
        STALE.addAndGet(segment.bytes());
    }

    private static String name() {
        long pid = ProcessHandle.current().pid();
        return PREFIX + namespace() + "-" + pid + "-" + startTime(pid) + "-" + COUNT.getAndIncrement();
    }

    static boolean isSegment(Path file) {
        return NAME.matcher(String.valueOf(file.getFileName())).matches();
    }

    /** Deletes what processes have left that were killed between making a segment and its peers' mapping it. */
    private static void sweep(Path directory) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, PREFIX + "*")) {
            for (Path file : files) {
                Matcher name = NAME.matcher(file.getFileName().toString());
                if (name.matches()
                        && name.group(1).equals(Long.toString(namespace()))
                        && startTime(Long.parseLong(name.group(2))) != Long.parseLong(name.group(3))) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            LOG.debug("{} was not searched for leftovers: {}", directory, e.getMessage());
        }
    }

    /** Of process ids: another container may share the memory but not the ids. 0 where there is no such thing. */
    private static long namespace() {
        try {
            String link = Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
            return Long.parseLong(link.replaceAll("\\D", ""));
        } catch (IOException | UnsupportedOperationException | NumberFormatException e) {
            return 0;
        }
    }

    /** In the kernel's ticks since it booted, which no change of the clock moves; -1 if there is no such process. */
    private static long startTime(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ")[19]);
        } catch (IOException e) {
            return ProcessHandle.of(pid)
                    .flatMap(process -> process.info().startInstant())
                    .map(start -> start.toEpochMilli())
                    .orElse(-1L);
        }
    }
}
