package io.rasterflow.monitoring.monitor;

import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Ledger;
import io.rasterflow.monitoring.monitor.RunStatus.RankTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;

/** Where the time of every rank went. */
final class RankTimes {

    private static final Ledger ZERO = new Ledger(0, 0, 0, 0, 0, 0);

    private static final class Times {
        private String node = "";
        private long steps;
        private Ledger total = ZERO;
        private final Average fetch = new Average();
        private final Average decode = new Average();
        private final Average waiting = new Average();
        private final Average compute = new Average();
        private final Average exchange = new Average();
        private final Average update = new Average();

        void add(Event.Step step) {
            Ledger ledger = step.ledger();
            node = step.node();
            steps++;
            total = sum(total, ledger);
            fetch.add(ledger.fetch());
            decode.add(ledger.decode());
            waiting.add(ledger.waiting());
            compute.add(ledger.compute());
            exchange.add(ledger.exchange());
            update.add(ledger.update());
        }

        Ledger recent() {
            return new Ledger(
                    fetch.value(), decode.value(), waiting.value(), compute.value(), exchange.value(), update.value());
        }
    }

    private final Map<Integer, Times> ranks = new TreeMap<>();

    void add(Event.Step step) {
        ranks.computeIfAbsent(step.rank(), rank -> new Times()).add(step);
    }

    /** @param ratio see {@link RankTime#slowdown}, by rank */
    List<RankTime> status(int worldSize, IntToDoubleFunction ratio) {
        return ranks.entrySet().stream()
                .map(entry -> {
                    Times times = entry.getValue();
                    return new RankTime(
                            entry.getKey(),
                            times.node,
                            times.steps,
                            times.total,
                            times.recent(),
                            ratio.applyAsDouble(entry.getKey()),
                            entry.getKey() < worldSize);
                })
                .toList();
    }

    /** Fractions of the time of all ranks; NaN before the first step. */
    Ledger shares() {
        Ledger all = ranks.values().stream().map(times -> times.total).reduce(ZERO, RankTimes::sum);
        double total = all.total() > 0 ? all.total() : Double.NaN;
        return new Ledger(
                all.fetch() / total,
                all.decode() / total,
                all.waiting() / total,
                all.compute() / total,
                all.exchange() / total,
                all.update() / total);
    }

    private static Ledger sum(Ledger a, Ledger b) {
        return new Ledger(
                a.fetch() + b.fetch(),
                a.decode() + b.decode(),
                a.waiting() + b.waiting(),
                a.compute() + b.compute(),
                a.exchange() + b.exchange(),
                a.update() + b.update());
    }
}
