package io.rasterflow.monitoring.science;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.science.ProbePoint.Series;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The probes of a run, with the mean over its labelled sets where it has several: over all sets of a step, once all are
 * there, and only where the sets are those of the last such step, for means over other sets cannot be compared. A probe
 * made again takes the place of the first. Memory is bounded: the oldest steps go, but not the untrained one. Not
 * thread-safe.
 */
public final class ProbeBook {

    private static final int CAPACITY = 2_000;

    private final TreeMap<Long, Map<Series, Event.Probe>> steps = new TreeMap<>();
    /** What is not there has to be computed: its intervals take a while. */
    private final Map<Series, Correlation> correlations = new HashMap<>();

    private List<ProbePoint> points = List.of();

    public void add(Event.Probe probe) {
        steps.computeIfAbsent(probe.step(), step -> new LinkedHashMap<>())
                .put(new Series(probe.kind(), probe.set()), probe);
        while (steps.size() > 2 && steps.values().stream().mapToInt(Map::size).sum() > CAPACITY) {
            steps.remove(steps.higherKey(steps.firstKey()));
            correlations.clear();
        }
        correlations.remove(new Series(probe.kind(), probe.set()));
        correlations.remove(new Series(probe.kind(), ProbePoint.AVERAGE));
        collect();
    }

    /** Forgets what came after a step, which is done again. */
    public void truncate(long step) {
        if (!steps.tailMap(step, false).isEmpty()) {
            steps.tailMap(step, false).clear();
            correlations.clear();
            collect();
        }
    }

    private void collect() {
        Map<String, List<Series>> comparable = new HashMap<>();
        for (Map<Series, Event.Probe> probes : steps.values()) {
            complete(probes).forEach((kind, sets) -> comparable.put(kind, seriesOf(sets)));
        }
        List<ProbePoint> all = new ArrayList<>();
        for (Map<Series, Event.Probe> probes : steps.values()) {
            complete(probes).forEach((kind, sets) -> {
                if (seriesOf(sets).equals(comparable.get(kind))) {
                    all.add(ProbePoint.average(sets));
                }
            });
            probes.values().stream().map(ProbePoint::of).forEach(all::add);
        }
        points = Collections.unmodifiableList(all);
    }

    /** The kinds of probe of which every one of several sets is there, with the sets by name. */
    private static Map<String, List<ProbePoint>> complete(Map<Series, Event.Probe> probes) {
        Map<String, List<ProbePoint>> kinds = new LinkedHashMap<>();
        for (Event.Probe last : probes.values()) {
            List<ProbePoint> sets = probes.values().stream()
                    .filter(probe -> probe.kind().equals(last.kind()) && probe.sets() == last.sets())
                    .map(ProbePoint::of)
                    .sorted(Comparator.comparing(ProbePoint::set))
                    .toList();
            if (last.sets() > 1 && sets.size() == last.sets()) {
                kinds.put(last.kind(), sets);
            }
        }
        return kinds;
    }

    private static List<Series> seriesOf(List<ProbePoint> points) {
        return points.stream().map(ProbePoint::series).toList();
    }

    /** Every probe by step; the mean over its sets comes before them. */
    public List<ProbePoint> points() {
        return points;
    }

    /** What was probed, what the run is judged by first, then in the order in which it came. */
    public List<Series> series() {
        return Stream.concat(main().stream(), points.stream().map(ProbePoint::series))
                .distinct()
                .toList();
    }

    /** What the run is judged by. */
    public Optional<Series> main() {
        return ProbePoint.main(points);
    }

    /** The points of one series by step. */
    public List<ProbePoint> points(Series series) {
        return points.stream().filter(point -> point.series().equals(series)).toList();
    }

    /** Of every series that was probed on several layers the first curve over them and the newest. */
    public List<LayerCurve> layers() {
        Map<Series, LayerCurve> first = new LinkedHashMap<>();
        Map<Series, LayerCurve> newest = new LinkedHashMap<>();
        steps.values().stream()
                .flatMap(probes -> probes.values().stream())
                .filter(probe -> probe.layers().size() > 1)
                .map(LayerCurve::of)
                .forEach(curve -> {
                    first.putIfAbsent(curve.series(), curve);
                    newest.put(curve.series(), curve);
                });
        return first.keySet().stream()
                .flatMap(series -> Stream.of(first.get(series), newest.get(series)))
                .distinct()
                .toList();
    }

    /** Top-1 at a step by kind of probe: the mean over several sets, which one of them alone does not stand for. */
    public Map<String, Double> accuracies(long step) {
        Map<Series, Event.Probe> probes = steps.getOrDefault(step, Map.of());
        Map<String, Double> kinds = new LinkedHashMap<>();
        probes.values().stream()
                .filter(probe -> probe.sets() == 1)
                .forEach(probe -> kinds.put(probe.kind(), probe.accuracy()));
        complete(probes)
                .forEach(
                        (kind, sets) -> kinds.put(kind, ProbePoint.average(sets).accuracy()));
        return kinds;
    }

    /** How validation loss and accuracy of a series go together. */
    public Correlation correlation(Series series) {
        return correlations.computeIfAbsent(
                series,
                unknown -> Correlation.ofSeries(points(series).stream()
                        .map(point -> new Correlation.Point(point.validationLoss(), point.accuracy()))
                        .toList()));
    }
}
