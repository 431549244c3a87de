package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Who of the candidates takes which rank, and whose weights they begin with. */
final class Choice {

    /** Nodes that a description names; of thousands nobody reads all, and the message would grow with them. */
    private static final int NAMED_NODES = 64;

    private Choice() {}

    /** Ranks follow node names and replicas, so that they do not depend on who came first; ranks of before come first. */
    static List<Seat> of(List<Seat> candidates, Set<DataAddress> before, int most) {
        return candidates.stream()
                .sorted(Comparator.comparing((Seat seat) -> !before.contains(seat.address)))
                .limit(most)
                .sorted(Comparator.comparing(Seat::node).thenComparing(seat -> seat.address.replica()))
                .toList();
    }

    /** The most advanced of those whose weights are part of the run's history. */
    static Optional<Seat> best(Collection<Seat> candidates) {
        return candidates.stream().filter(Seat::trusted).max(Comparator.comparingLong(Seat::step));
    }

    /** Ranks of one generation that are at one step must have the same history: what is wrong where they have not. */
    static Optional<String> divergence(List<Seat> ranks) {
        Map<Long, Seat> byStep = new HashMap<>();
        for (Seat seat : ranks) {
            Seat other = seat.trusted() ? byStep.putIfAbsent(seat.step(), seat) : null;
            if (other != null && !other.digest().equals(seat.digest())) {
                return Optional.of("after step " + seat.step() + " " + other.node() + " and " + seat.node()
                        + " hold different weights (histories " + other.digest() + " and " + seat.digest()
                        + "): the replicas have diverged, do not use this run");
            }
        }
        return Optional.empty();
    }

    /** Such as {@code 0-7 on a, 8 on b}. */
    static String describe(List<Seat> chosen) {
        List<String> nodes = new ArrayList<>();
        int named = 0;
        for (int first = 0; first < chosen.size() && nodes.size() < NAMED_NODES; ) {
            String node = chosen.get(first).node();
            int end = first + 1;
            while (end < chosen.size() && chosen.get(end).node().equals(node)) {
                end++;
            }
            nodes.add((end - first == 1 ? "" + first : first + "-" + (end - 1)) + " on " + node);
            first = end;
            named = end;
        }
        int more = chosen.size() - named;
        return String.join(", ", nodes) + (more == 0 ? "" : " and " + more + " more");
    }
}
