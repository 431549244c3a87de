package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * Which ranks hold the others up. All ranks take equally long for a step, since they meet in the exchange; what tells them
 * apart is a rank's own time, that is its step without the exchange, in which it mostly waits for others:
 *
 * <pre>
 *   own(r, s)   = (fetch + decode + wait + compute) / micro-batches of r  +  update / mean micro-batches of a rank
 *   ratio(r)    = median of own(r, s) over the last {@value #WINDOW} steps / median over the other ranks of their medians
 * </pre>
 *
 * <p>Time goes by micro-batch because ranks may have different numbers of them; the update is done once, whatever their
 * number. A rank is named from a ratio of {@value #SLOW} on until it falls below {@value #FAST}. A new generation begins
 * from nothing: who has which rank, and how many micro-batches, is new. What the wire itself costs a rank is not seen here.
 * Not thread-safe.
 */
public final class SlowRanks {

    /**
     * Steps that are looked back on: a rank is named, or cleared, when half of them are of its new pace. Odd, so that the
     * median then goes from the old pace to the new one and not over their mean.
     */
    public static final int WINDOW = 41;
    /** A rank with fewer steps is not judged: the first steps of a process are slow. */
    public static final int ENOUGH = 20;
    /** Ratio at which a rank becomes slow. */
    public static final double SLOW = 1.2;
    /** Ratio below which it ceases to be. */
    public static final double FAST = 1.1;

    /** A rank was named slow, or is no longer; then its ratio is the one that cleared it. */
    public record Change(SlowRank rank, boolean slow) {}

    private enum Part {
        INPUT("input wait", ledger -> ledger.fetch() + ledger.decode() + ledger.waiting()),
        COMPUTE("compute", Ledger::compute),
        UPDATE("update", Ledger::update);

        private final String words;
        private final ToDoubleFunction<Ledger> seconds;

        Part(String words, ToDoubleFunction<Ledger> seconds) {
            this.words = words;
            this.seconds = seconds;
        }
    }

    private static final class Rank {
        private final Event.Formed place;
        /** Of the last steps, per micro-batch and without exchange. */
        private final Deque<Ledger> own = new ArrayDeque<>(WINDOW);

        private double ratio = Double.NaN;
        /** Null while it keeps up. */
        private SlowRank named;

        Rank(Event.Formed place) {
            this.place = place;
        }

        void add(Ledger ledger) {
            double mine = place.endMicroBatch() - place.firstMicroBatch();
            double mean = place.microBatches() / (double) place.worldSize();
            if (own.size() == WINDOW) {
                own.removeFirst();
            }
            own.addLast(new Ledger(
                    ledger.fetch() / mine,
                    ledger.decode() / mine,
                    ledger.waiting() / mine,
                    ledger.compute() / mine,
                    0,
                    ledger.update() / mean));
        }

        SlowRank slow(String part, long sinceStep) {
            return new SlowRank(place.rank(), place.node(), ratio, part, sinceStep);
        }

        double median(ToDoubleFunction<Ledger> seconds) {
            double[] values = new double[own.size()];
            int next = 0;
            for (Ledger ledger : own) {
                values[next++] = seconds.applyAsDouble(ledger);
            }
            Arrays.sort(values);
            return middle(values);
        }
    }

    private final Map<Integer, Rank> ranks = new TreeMap<>();
    private long generation = -1;
    private long newestStep = -1;

    /** A generation is there. Whatever was known of an older one is forgotten. */
    public void enter(long newGeneration) {
        if (newGeneration > generation) {
            generation = newGeneration;
            newestStep = -1;
            ranks.clear();
        }
    }

    /** A rank has its place in a generation. */
    public void add(Event.Formed place) {
        enter(place.generation());
        if (place.generation() == generation && place.endMicroBatch() > place.firstMicroBatch()) {
            ranks.put(place.rank(), new Rank(place));
        }
    }

    /**
     * A rank has done a step. All are judged when the first of them comes with the next step, so when each has told of the
     * last one.
     *
     * @return who is slow from now on, and who no longer; empty for most steps
     */
    public List<Change> add(Event.Step step) {
        enter(step.generation());
        Rank rank = ranks.get(step.rank());
        // Without its place, as journals of older programs have none, nobody knows how many micro-batches it computed.
        if (step.generation() != generation || rank == null) {
            return List.of();
        }
        List<Change> changes = List.of();
        if (step.step() > newestStep) {
            changes = judge(newestStep);
            newestStep = step.step();
        }
        rank.add(step.ledger());
        return changes;
    }

    private List<Change> judge(long step) {
        List<Rank> judged = ranks.values().stream()
                .filter(rank -> rank.own.size() >= ENOUGH)
                .toList();
        if (judged.size() < 2) {
            return List.of();
        }
        double[] own = medians(judged, Ledger::total);
        double[] sorted = sorted(own);
        List<Change> changes = new ArrayList<>();
        String[] parts = null;
        for (int i = 0; i < own.length; i++) {
            Rank rank = judged.get(i);
            double others = others(sorted, own[i]);
            rank.ratio = others > 0 ? own[i] / others : Double.NaN;
            SlowRank before = rank.named;
            if (rank.ratio >= (before == null ? SLOW : FAST)) {
                parts = parts == null ? largerParts(judged) : parts;
                rank.named = rank.slow(parts[i], before == null ? step : before.sinceStep());
                if (before == null) {
                    changes.add(new Change(rank.named, true));
                }
            } else if (before != null) {
                changes.add(new Change(rank.slow(before.part(), before.sinceStep()), false));
                rank.named = null;
            }
        }
        return changes;
    }

    /** Of every rank, the part that exceeds the others' by most. */
    private static String[] largerParts(List<Rank> judged) {
        String[] words = new String[judged.size()];
        double[] largest = new double[judged.size()];
        Arrays.fill(largest, Double.NEGATIVE_INFINITY);
        for (Part part : Part.values()) {
            double[] own = medians(judged, part.seconds);
            double[] sorted = sorted(own);
            for (int i = 0; i < own.length; i++) {
                double more = own[i] - others(sorted, own[i]);
                if (more > largest[i]) {
                    largest[i] = more;
                    words[i] = part.words;
                }
            }
        }
        return words;
    }

    private static double[] medians(List<Rank> judged, ToDoubleFunction<Ledger> seconds) {
        return judged.stream().mapToDouble(rank -> rank.median(seconds)).toArray();
    }

    private static double[] sorted(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted;
    }

    /** Median of sorted values without one of them. */
    private static double others(double[] sorted, double without) {
        int gap = Arrays.binarySearch(sorted, without);
        double[] rest = new double[sorted.length - 1];
        System.arraycopy(sorted, 0, rest, 0, gap);
        System.arraycopy(sorted, gap + 1, rest, gap, rest.length - gap);
        return middle(rest);
    }

    private static double middle(double[] sorted) {
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /** How many times as long as the others a rank takes per micro-batch; NaN while that is not known. */
    public double ratio(int rank) {
        return ranks.containsKey(rank) ? ranks.get(rank).ratio : Double.NaN;
    }

    /** Who is slow, the slowest first. */
    public List<SlowRank> slow() {
        return ranks.values().stream()
                .map(rank -> rank.named)
                .filter(Objects::nonNull)
                .sorted(Comparator.comparingDouble(SlowRank::ratio).reversed())
                .toList();
    }
}
