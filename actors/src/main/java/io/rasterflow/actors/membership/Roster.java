package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Who is in a generation, as it travels: for whom was in the one before only what has changed since, for all others
 * everybody. The ranks follow from runs, each of ranks that were in a row before as well, or of newcomers.
 *
 * @param number of the generation
 * @param fingerprint of its members, see {@link Generation#fingerprint}
 * @param microBatches of a global batch
 * @param base number of the generation before that the receiver must know; 0 if it need not know any
 * @param baseFingerprint of that one's members
 * @param runs pairs: the first rank of a run in the generation before, or {@value #NEW} for newcomers; and its length
 * @param newcomers in the order of their ranks
 */
public record Roster(
        long number,
        long fingerprint,
        int microBatches,
        long base,
        long baseFingerprint,
        List<Integer> runs,
        Addresses newcomers) {

    private static final int NEW = -1;

    public Roster {
        runs = List.copyOf(runs);
        int added = 0;
        for (int i = 0; i + 1 < runs.size(); i += 2) {
            require(runs.get(i) >= NEW && (base > 0 || runs.get(i) == NEW) && runs.get(i + 1) > 0, number, runs);
            added += runs.get(i) == NEW ? runs.get(i + 1) : 0;
        }
        require(runs.size() % 2 == 0 && added == newcomers.list().size(), number, runs);
    }

    private static void require(boolean holds, long number, List<Integer> runs) {
        if (!holds) {
            throw new IllegalArgumentException("the ranks of generation " + number + " cannot follow from " + runs);
        }
    }

    /** Everybody. */
    public static Roster whole(Generation generation, long fingerprint) {
        return new Roster(
                generation.number(),
                fingerprint,
                generation.microBatches(),
                0,
                0,
                List.of(NEW, generation.worldSize()),
                Addresses.of(generation.members()));
    }

    /** What has changed since the one before. */
    static Roster change(Generation before, long beforeFingerprint, Generation next, long fingerprint) {
        Map<DataAddress, Integer> ranks = new HashMap<>();
        for (int rank = 0; rank < before.worldSize(); rank++) {
            ranks.put(before.members().get(rank), rank);
        }
        List<Integer> runs = new ArrayList<>();
        List<DataAddress> newcomers = new ArrayList<>();
        for (DataAddress member : next.members()) {
            int rank = ranks.getOrDefault(member, NEW);
            int last = runs.size() - 2;
            if (last >= 0 && rank == (runs.get(last) == NEW ? NEW : runs.get(last) + runs.get(last + 1))) {
                runs.set(last + 1, runs.get(last + 1) + 1);
            } else {
                runs.addAll(List.of(rank, 1));
            }
            if (rank == NEW) {
                newcomers.add(member);
            }
        }
        return new Roster(
                next.number(),
                fingerprint,
                next.microBatches(),
                before.number(),
                beforeFingerprint,
                runs,
                Addresses.of(newcomers));
    }

    /**
     * The generation.
     *
     * @param known the last that the receiver was in, and its fingerprint
     * @return empty if it follows from another one
     */
    Optional<Generation> generation(Optional<Generation> known, long knownFingerprint) {
        if (base > 0
                && (known.map(Generation::number).orElse(0L) != base
                        || knownFingerprint != baseFingerprint
                        || !within(known.get().worldSize()))) {
            return Optional.empty();
        }
        List<DataAddress> members = new ArrayList<>();
        int added = 0;
        for (int i = 0; i < runs.size(); i += 2) {
            int first = runs.get(i);
            int length = runs.get(i + 1);
            if (first == NEW) {
                members.addAll(newcomers.list().subList(added, added + length));
                added += length;
            } else {
                members.addAll(known.get().members().subList(first, first + length));
            }
        }
        return Optional.of(new Generation(number, members, microBatches));
    }

    private boolean within(int worldSize) {
        for (int i = 0; i < runs.size(); i += 2) {
            if ((long) runs.get(i) + runs.get(i + 1) > worldSize && runs.get(i) != NEW) {
                return false;
            }
        }
        return true;
    }
}
