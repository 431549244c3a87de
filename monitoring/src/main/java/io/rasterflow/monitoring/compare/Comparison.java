package io.rasterflow.monitoring.compare;

import io.rasterflow.monitoring.science.RunPoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Stream;

/**
 * Other runs that a page draws beside its own, from their journals, which may still be written. They are read on when
 * somebody asks, once a second for all who do, so a page that nobody looks at costs nothing, and one that many look at no
 * more than one. Thread-safe; blocks for the disk.
 */
public final class Comparison implements AutoCloseable {

    /** What the watched run is called among the others. */
    public static final String OWN = "this run";

    /** No other run. */
    public static final Comparison NONE = new Comparison(Optional.empty(), List.of(), System::nanoTime);

    private static final long PAUSE_NANOS = 1_000_000_000;

    /** The watched run's, for what it tells together with the others; its curves come from the monitor. */
    private final Optional<ComparedJournals> own;

    private final List<ComparedJournals> journals;
    private final FittedRuns fitted = new FittedRuns();
    private final LongSupplier nanoTime;
    private long version = 1;
    private List<ComparedRun> runs;
    /** When journals of which all had been read were last read on. */
    private OptionalLong polled = OptionalLong.empty();

    private boolean closed;

    /**
     * What there is.
     *
     * @param version grows with everything new
     * @param runs every run as it stands; null where the asker has this version
     */
    public record Answer(long version, List<ComparedRun> runs) {}

    /**
     * The same of what the runs tell together.
     *
     * @param found null where the asker has this version
     */
    public record Findings(long version, AcrossRuns found) {}

    private Comparison(Optional<Path> own, List<Path> directories, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.own = own.map(directory -> new ComparedJournals(OWN, directory));
        journals = directories.stream()
                .map(directory -> new ComparedJournals(directory.toString(), directory))
                .toList();
        collect();
    }

    /**
     * @param own directory of the run that the page shows
     * @param directories of the others, which need not have begun
     * @throws IllegalArgumentException with one line, when one is no directory or named twice
     */
    public static Comparison of(Path own, List<Path> directories) {
        return of(own, directories, System::nanoTime);
    }

    /** The same, by another clock. */
    public static Comparison of(Path own, List<Path> directories, LongSupplier nanoTime) {
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
        return new Comparison(directories.isEmpty() ? Optional.empty() : Optional.of(own), directories, nanoTime);
    }

    /** @param known version that the asker has; 0 for none */
    public synchronized Answer since(long known) {
        if (!closed) {
            readOn(nanoTime.getAsLong());
        }
        return new Answer(version, version == known ? null : runs);
    }

    /**
     * What the watched run and these tell together. Blocks for the fits where a run has new validated weights.
     *
     * @param known version that the asker has; 0 for none
     */
    public Findings together(long known) {
        List<RunPoint> points = new ArrayList<>();
        List<String> leftOut = new ArrayList<>();
        synchronized (this) {
            if (!closed) {
                readOn(nanoTime.getAsLong());
            }
            Stream.concat(own.stream(), journals.stream()).forEach(one -> {
                try {
                    points.add(one.point());
                } catch (IllegalArgumentException e) {
                    leftOut.add(e.getMessage());
                }
            });
        }
        return fitted.of(List.copyOf(points), List.copyOf(leftOut), known);
    }

    private void readOn(long now) {
        if (polled.isPresent() && now - polled.getAsLong() < PAUSE_NANOS) {
            return;
        }
        boolean news = false;
        boolean whole = true;
        for (ComparedJournals one : journals) {
            news |= one.poll();
            whole &= one.caughtUp();
        }
        if (own.isPresent()) {
            own.get().poll();
            whole &= own.get().caughtUp();
        }
        // What is long is read on at once, whoever asks.
        polled = whole ? OptionalLong.of(now) : OptionalLong.empty();
        if (news) {
            version++;
            collect();
        }
    }

    private void collect() {
        runs = journals.stream().map(ComparedJournals::run).toList();
    }

    @Override
    public synchronized void close() {
        closed = true;
        own.ifPresent(ComparedJournals::close);
        journals.forEach(ComparedJournals::close);
    }
}
