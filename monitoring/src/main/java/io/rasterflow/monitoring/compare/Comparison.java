package io.rasterflow.monitoring.compare;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Other runs that a page draws beside its own, from their journals, which may still be written. They are read on when
 * somebody asks, so a page that nobody looks at costs nothing. Thread-safe; blocks for the disk.
 */
public final class Comparison implements AutoCloseable {

    /** No other run. */
    public static final Comparison NONE = new Comparison(List.of());

    private final List<ComparedJournals> journals;
    private long version = 1;
    private boolean closed;

    /**
     * What there is.
     *
     * @param version grows with everything new
     * @param runs every run as it stands; null where the asker has this version
     */
    public record Answer(long version, List<ComparedRun> runs) {}

    private Comparison(List<Path> directories) {
        journals = directories.stream().map(ComparedJournals::new).toList();
    }

    /**
     * @param own directory of the run that the page shows
     * @param directories of the others, which need not have begun
     * @throws IllegalArgumentException with one line, when one is no directory or named twice
     */
    public static Comparison of(Path own, List<Path> directories) {
        Set<Path> seen = new HashSet<>(Set.of(own.toAbsolutePath().normalize()));
        for (Path directory : directories) {
            if (!Files.isDirectory(directory)) {
                throw new IllegalArgumentException(
                        "monitor.compare names " + directory + ", which is no run directory; give other runs' or []");
            }
            if (!seen.add(directory.toAbsolutePath().normalize())) {
                throw new IllegalArgumentException(
                        "monitor.compare names " + directory + ", which is drawn already; name each other run once");
            }
        }
        return new Comparison(directories);
    }

    /** @param known version that the asker has; 0 for none */
    public synchronized Answer since(long known) {
        if (!closed) {
            for (ComparedJournals one : journals) {
                version += one.poll() ? 1 : 0;
            }
        }
        return new Answer(
                version,
                version == known
                        ? null
                        : journals.stream().map(ComparedJournals::run).toList());
    }

    @Override
    public synchronized void close() {
        closed = true;
        journals.forEach(ComparedJournals::close);
    }
}
