package io.rasterflow.actors.membership;

import io.rasterflow.actors.exchange.DataAddress;
import io.rasterflow.actors.exchange.Generation;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A new generation: who is in it, and from which weights it goes on.
 *
 * @param members in rank order
 * @param live whether a trainer has the weights; otherwise all take those of the restore point
 * @param saved the restore point
 * @param sources that have the weights, where it is live
 */
record Formation(
        List<Seat> members,
        boolean live,
        RestorePoint saved,
        long firstStep,
        String digest,
        List<DataAddress> sources) {

    /**
     * The most advanced weights that there are: of the trainers that have stopped, unless a checkpoint is further.
     *
     * @param candidates for a place
     * @param stopped these and those that are leaving, who stay until the others train
     * @param before ranks of the last generation
     */
    static Formation of(
            List<Seat> candidates, List<Seat> stopped, RestorePoint saved, Set<DataAddress> before, int mostRanks) {
        Optional<Seat> best = Choice.best(stopped);
        boolean live = best.isPresent() && best.get().step() >= saved.step();
        long firstStep = live ? best.get().step() : saved.step();
        String digest = live ? best.get().digest() : saved.digest();
        List<DataAddress> sources = stopped.stream()
                .filter(seat ->
                        live && seat.step() == firstStep && seat.digest().equals(digest))
                .map(seat -> seat.address)
                .toList();
        return new Formation(Choice.of(candidates, before, mostRanks), live, saved, firstStep, digest, sources);
    }

    Generation generation(long number, int microBatches) {
        return new Generation(number, members.stream().map(seat -> seat.address).toList(), microBatches);
    }

    /** A place for each member. */
    Places places(Generation generation, long fingerprint, Optional<Ranks> before) {
        Places places = new Places(generation, fingerprint, before);
        List<Origin> origins = origins();
        Map<DataAddress, Integer> takers = new HashMap<>();
        origins.forEach(origin -> origin.peer().ifPresent(peer -> takers.merge(peer, 1, Integer::sum)));
        for (int rank = 0; rank < members.size(); rank++) {
            DataAddress address = members.get(rank).address;
            int asked = takers.getOrDefault(address, 0);
            places.give(address, new Assignment(generation, rank, firstStep, digest, origins.get(rank), asked));
        }
        return places;
    }

    /** Where each rank takes its weights from. */
    private List<Origin> origins() {
        if (!live) {
            return Collections.nCopies(members.size(), saved.origin());
        }
        Set<DataAddress> haveThem = Set.copyOf(sources);
        List<Origin> origins = new ArrayList<>();
        for (int rank = 0; rank < members.size(); rank++) {
            boolean has = haveThem.contains(members.get(rank).address);
            origins.add(has ? Origin.KEPT : Origin.peer(sources.get(rank % sources.size())));
        }
        return origins;
    }
}
