package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.science.ProbeCost;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.DoubleSummaryStatistics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * When probes were under way, and how long rank 0's steps took then, and shortly before and after. A probe is told of when
 * it is over, so the last steps are kept until it is known where they belong; memory is bounded. The probes of a checkpoint
 * follow each other and are one window:
 *
 * <pre>
 *   steps   |   around   | - - - |      during      |   around   |
 *   ------------------- validation, probe, probe -----------------> time
 * </pre>
 *
 * Steps that only touch the window, and those during a validation or while pictures are drawn or a checkpoint is written,
 * are in neither. Around reaches as far as the window is long, since steps change over a run. Times of several nodes are
 * taken by their own clocks.
 */
final class ProbeWindows {

    private static final int STEPS = 20_000;
    private static final int SPANS = 200;
    private static final int WINDOWS = 2_000;

    /** The first steps of a start are slow by themselves. */
    private static final int WARM_UP = 50;
    /** Probes are of one window when less than this lies between. */
    private static final long GAP_MILLIS = 1_000;
    /** Fewer steps say nothing. */
    private static final int LEAST = 3;

    /** Something that took from one moment to another. */
    private record Span(long from, long to) {
        static Span of(long toMillis, double seconds) {
            return new Span(toMillis - Math.round(1e3 * seconds), toMillis);
        }

        boolean holds(Span other) {
            return from <= other.from && other.to <= to;
        }

        boolean touches(Span other) {
            return from < other.to && other.from < to;
        }

        Span with(Span other) {
            return new Span(Math.min(from, other.from), Math.max(to, other.to));
        }

        long millis() {
            return to - from;
        }
    }

    private record Timed(Span span, double value) {}

    private final Deque<Timed> steps = new ArrayDeque<>();
    /** Cores of a node's machine that nobody used, by node; the first is of no time. */
    private final Map<String, Deque<Timed>> idle = new HashMap<>();
    /** Probes and the other work of evaluations. */
    private final Deque<Span> busy = new ArrayDeque<>();

    private final Deque<ProbeCost.Window> measured = new ArrayDeque<>();
    /** The last window, to which probes and steps may still belong. */
    private Optional<Span> open = Optional.empty();

    private int warmUp;
    private double stepSeconds;
    private int probes;
    private double seconds;
    private double cpuSeconds;
    private String node = "";
    private final Map<String, Integer> cores = new HashMap<>();

    /** Of the run, once more or for the first time. */
    void start() {
        close();
        steps.clear();
        idle.clear();
        busy.clear();
        warmUp = WARM_UP;
    }

    void add(Event event) {
        if (event instanceof Event.Step step) {
            if (step.rank() == 0 && step.ledger().total() > 0) {
                onStep(step);
            }
        } else if (event instanceof Event.Probe probe) {
            if (!Event.Probe.VERB.equals(probe.node())) {
                onProbe(probe);
            }
        } else if (event instanceof Event.Validation e) {
            bounded(busy, Span.of(e.timeMillis(), e.seconds()));
        } else if (event instanceof Event.Images e) {
            bounded(busy, Span.of(e.timeMillis(), e.seconds()));
        } else if (event instanceof Event.Histograms e) {
            bounded(busy, Span.of(e.timeMillis(), e.seconds()));
        } else if (event instanceof Event.Checkpoint e) {
            bounded(busy, Span.of(e.timeMillis(), e.seconds()));
        } else if (event instanceof Event.Usage usage && !Double.isNaN(usage.machineCpu())) {
            onUsage(usage);
        }
    }

    private void onStep(Event.Step step) {
        double took = step.ledger().total();
        stepSeconds += took;
        if (warmUp > 0) {
            warmUp--;
            return;
        }
        if (steps.size() == STEPS) {
            // The steps around the window are all there; the oldest of them would go.
            open.filter(window -> steps.getLast().span().to() > window.to() + window.millis())
                    .ifPresent(window -> close());
            steps.removeFirst();
        }
        steps.add(new Timed(Span.of(step.timeMillis(), took), took));
    }

    private void onProbe(Event.Probe probe) {
        Span span = Span.of(probe.timeMillis(), probe.seconds());
        bounded(busy, span);
        probes++;
        seconds += probe.seconds();
        cpuSeconds += probe.cpuSeconds();
        node = probe.node();
        if (open.isPresent() && span.to() < open.get().from()) {
            return; // Told late; the steps around it may be gone.
        }
        Optional<Span> longer =
                open.filter(window -> span.from() <= window.to() + GAP_MILLIS).map(window -> window.with(span));
        if (longer.isEmpty()) {
            close();
        }
        open = Optional.of(longer.orElse(span));
    }

    private void onUsage(Event.Usage usage) {
        Deque<Timed> told = idle.computeIfAbsent(usage.node(), unseen -> new ArrayDeque<>());
        long since = told.isEmpty() ? usage.timeMillis() : told.getLast().span().to();
        bounded(told, new Timed(new Span(since, usage.timeMillis()), usage.cores() * (1 - usage.machineCpu())));
        cores.put(usage.node(), usage.cores());
    }

    private static <T> void bounded(Deque<T> last, T next) {
        last.add(next);
        if (last.size() > SPANS) {
            last.removeFirst();
        }
    }

    private void close() {
        open.flatMap(this::measure).ifPresent(window -> {
            measured.add(window);
            if (measured.size() > WINDOWS) {
                measured.removeFirst();
            }
        });
        open = Optional.empty();
    }

    private Optional<ProbeCost.Window> measure(Span window) {
        Span near = new Span(window.from() - window.millis(), window.to() + window.millis());
        DoubleSummaryStatistics during = new DoubleSummaryStatistics();
        DoubleSummaryStatistics around = new DoubleSummaryStatistics();
        for (Timed step : steps) {
            if (window.holds(step.span())) {
                during.accept(step.value());
            } else if (near.holds(step.span()) && free(step.span())) {
                around.accept(step.value());
            }
        }
        return during.getCount() < LEAST || around.getCount() < LEAST
                ? Optional.empty()
                : Optional.of(new ProbeCost.Window(during.getCount(), during.getAverage(), around.getAverage()));
    }

    private boolean free(Span span) {
        return busy.stream().noneMatch(span::touches);
    }

    /** As far as it is known by now. */
    ProbeCost cost() {
        if (probes == 0) {
            return ProbeCost.NONE;
        }
        List<ProbeCost.Window> windows = new ArrayList<>(measured);
        open.flatMap(this::measure).ifPresent(windows::add);
        // Of what came after the last window it is not known whether a probe is under way.
        long known = open.map(Span::to).orElse(Long.MAX_VALUE);
        double unused = idle.getOrDefault(node, new ArrayDeque<>()).stream()
                .filter(told -> told.span().millis() > 0 && told.span().to() <= known && free(told.span()))
                .mapToDouble(Timed::value)
                .average()
                .orElse(Double.NaN);
        return ProbeCost.of(probes, seconds, cpuSeconds, cores.getOrDefault(node, 0), unused, windows, stepSeconds);
    }
}
