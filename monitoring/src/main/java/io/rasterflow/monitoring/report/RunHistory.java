package io.rasterflow.monitoring.report;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.monitoring.journal.Journals;
import io.rasterflow.monitoring.monitor.Notable;
import io.rasterflow.monitoring.monitor.RunState;
import io.rasterflow.monitoring.monitor.RunStatus;
import io.rasterflow.monitoring.monitor.RunSummary;
import io.rasterflow.monitoring.monitor.RunUpdate;
import io.rasterflow.monitoring.monitor.RunUpdate.Cursor;
import io.rasterflow.monitoring.science.ProbePoint;
import io.rasterflow.monitoring.science.RunPoint;
import io.rasterflow.monitoring.science.RunPointBook;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything that a report tells of a run, folded from its journals in one pass and in bounded memory, and the newest picture
 * of its predictions.
 */
public final class RunHistory {

    private static final Logger log = LoggerFactory.getLogger(RunHistory.class);

    /** Validations beyond this many are left out, the oldest first. */
    private static final int CAPACITY = 10_000;

    private final RunState state = new RunState();
    private final RunPointBook point = new RunPointBook();
    private final LedgerHistory ledger = new LedgerHistory();
    private final UsageHistory usage = new UsageHistory();
    private final Quarantined quarantined = new Quarantined();
    private final TreeMap<Long, Event.Validation> validations = new TreeMap<>();
    private final Map<String, Event.Machine> machines = new TreeMap<>();
    private final List<String> damage = new ArrayList<>();
    private Event.RunStarted started;
    private Event.RunEnded ended;
    private int starts;
    private long events;
    private long steps;
    private long lossesNotFinite;
    private long firstNotFinite = -1;
    private RunUpdate all;
    private Optional<ImageArchive.Picture> picture = Optional.empty();

    private RunHistory() {}

    /**
     * Reads the journals of a run, which may have died or still be going.
     *
     * @throws IOException with one line, if there is none or nothing in them can be read
     */
    public static RunHistory read(Path run) throws IOException {
        if (!Journals.exist(run)) {
            throw new IOException("no journal in " + run + ": give the directory of a run that has begun (--run DIR)");
        }
        RunHistory history = new RunHistory();
        try (Stream<Event> events = Journals.readWithoutSamples(run, history::onDamage)) {
            for (Iterator<Event> it = events.iterator(); it.hasNext(); ) {
                history.add(it.next());
            }
        }
        if (history.events == 0) {
            throw new IOException("the journals of " + run + " hold no event that can be read"
                    + (history.damage.isEmpty() ? "" : ": " + String.join("; ", history.damage))
                    + "; give the directory of a run that has begun (--run DIR)");
        }
        history.all = history.state.since(Cursor.START);
        history.picture = newest(new ImageArchive(run));
        return history;
    }

    private static Optional<ImageArchive.Picture> newest(ImageArchive images) {
        try {
            return images.newest();
        } catch (IOException e) {
            log.warn("the newest picture of predictions cannot be read, so the report has none: {}", e.toString());
            return Optional.empty();
        }
    }

    private void onDamage(String node, String what) {
        damage.add("the journal of " + node + " is damaged: " + what);
    }

    private void add(Event event) {
        events++;
        state.apply(event);
        point.add(event);
        if (event instanceof Event.Step step) {
            ledger.add(step);
            onStep(step);
        } else if (event instanceof Event.RunStarted start) {
            onStarted(start);
        } else if (event instanceof Event.Validation validation) {
            validations.put(validation.step(), validation);
            bound(validations);
        } else if (event instanceof Event.BadSample sample) {
            quarantined.add(sample);
        } else if (event instanceof Event.Thumbnail thumbnail) {
            quarantined.add(thumbnail);
        } else if (event instanceof Event.Machine machine) {
            machines.put(machine.node(), machine);
        } else if (event instanceof Event.Usage taken) {
            usage.add(taken);
        } else if (event instanceof Event.RunEnded end) {
            ended = end;
        }
    }

    private void onStep(Event.Step step) {
        if (step.rank() != 0) {
            return;
        }
        steps++;
        if (!Double.isFinite(step.loss())) {
            firstNotFinite = lossesNotFinite == 0 ? step.step() : firstNotFinite;
            lossesNotFinite++;
        }
    }

    private void onStarted(Event.RunStarted start) {
        started = start;
        ended = null;
        starts++;
        // What the interrupted run did beyond its checkpoint is done again.
        ledger.truncate(start.firstStep());
        validations.tailMap(start.firstStep(), false).clear();
    }

    private static void bound(TreeMap<Long, ?> history) {
        if (history.size() > CAPACITY) {
            history.pollFirstEntry();
        }
    }

    /**
     * The run as a point among others.
     *
     * @param name what it is called there
     * @throws IllegalArgumentException with one line, if there is no loss of trained weights
     */
    public RunPoint point(String name) {
        return point.point(name);
    }

    /** The run as its journals leave it. */
    public RunStatus status() {
        return all.status();
    }

    /** What it came to. */
    public RunSummary summary() {
        return state.summary();
    }

    /** What is wrong with the journals, a line each. */
    public List<String> damage() {
        return List.copyOf(damage);
    }

    /** A curve of {@link RunUpdate}; empty when it has no points. */
    Optional<RunUpdate.Tail> curve(String name) {
        return Optional.ofNullable(all.curves().get(name));
    }

    /** Names of the curves that have points. */
    List<String> curveNames() {
        return List.copyOf(all.curves().keySet());
    }

    List<Notable> notables() {
        return all.events();
    }

    LedgerHistory ledger() {
        return ledger;
    }

    Quarantined quarantined() {
        return quarantined;
    }

    /** By step. */
    List<Event.Validation> validations() {
        return List.copyOf(validations.values());
    }

    /** What was probed, what the run is judged by first. */
    List<ProbePoint.Series> probed() {
        List<ProbePoint.Series> others =
                status().probes().stream().map(ProbePoint::series).distinct().toList();
        return Stream.concat(status().mainProbes().stream().map(ProbePoint::series), others.stream())
                .distinct()
                .toList();
    }

    /** The probes of one series by step. */
    List<ProbePoint> probes(ProbePoint.Series series) {
        return status().probes().stream()
                .filter(probe -> probe.series().equals(series))
                .toList();
    }

    /** What the nodes ran on, by their names. */
    List<Event.Machine> machines() {
        return List.copyOf(machines.values());
    }

    /** What the nodes took of processor and memory, over all starts. */
    List<UsageHistory.NodeUsage> usages() {
        return usage.nodes();
    }

    /** Its last start. */
    Optional<Event.RunStarted> started() {
        return Optional.ofNullable(started);
    }

    Optional<Event.RunEnded> ended() {
        return Optional.ofNullable(ended);
    }

    /** How often it was started or resumed. */
    int starts() {
        return starts;
    }

    /** Events of all nodes. */
    long events() {
        return events;
    }

    /** Steps of rank 0, those done again included. */
    long steps() {
        return steps;
    }

    /** Steps whose loss was no finite number. */
    long lossesNotFinite() {
        return lossesNotFinite;
    }

    /** First of them; -1 where there is none. */
    long firstNotFinite() {
        return firstNotFinite;
    }

    /** What the model predicts of some images, as last drawn. */
    Optional<ImageArchive.Picture> picture() {
        return picture;
    }
}
