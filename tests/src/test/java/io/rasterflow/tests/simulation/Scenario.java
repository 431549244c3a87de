package io.rasterflow.tests.simulation;

import io.rasterflow.actors.membership.Rules;
import java.util.ArrayList;
import java.util.List;

/**
 * What a seed decides before anything moves.
 *
 * @param replicas trainers of each node; a node without any may still hold the coordinator
 * @param checkpointSteps rank 0 writes a checkpoint every so many steps
 * @param announceSteps whether trainers announce each step as well
 * @param faults how many
 * @param calmMillis when faults and losses end
 * @param unreachableMillis when the cluster gives a node up
 * @param linkSilenceMillis when a rank gives a silent peer up
 * @param longestCutMillis of the network
 */
record Scenario(
        Rules rules,
        List<Integer> replicas,
        int checkpointSteps,
        boolean announceSteps,
        int faults,
        long calmMillis,
        double loss,
        double repetition,
        double lateness,
        double unreachableMillis,
        double linkSilenceMillis,
        double longestCutMillis) {

    static Scenario draw(Scheduler chance) {
        // Few ranks and many in reserve, in a run that is long enough for two sides of a cut to train: what no shorter
        // one shows.
        boolean split = chance.chance(0.2);
        int nodes = split ? chance.from(3, 6) : chance.from(1, 6);
        List<Integer> replicas = new ArrayList<>();
        for (int node = 0; node < nodes; node++) {
            replicas.add(chance.chance(0.2) ? 2 : 1);
        }
        if (nodes > 1 && chance.chance(0.25)) {
            replicas.set(chance.below(nodes), 0);
        }
        int trainers = replicas.stream().mapToInt(Integer::intValue).sum();
        int trainerNodes = (int) replicas.stream().filter(count -> count > 0).count();
        int microBatches = chance.from(1, split ? 3 : 8);
        int worldSize = chance.from(1, Math.min(trainers, microBatches));
        // The first generation's ranks may share nodes; later ones must still find enough of them.
        int minNodes = chance.chance(0.6) ? 1 : chance.from(1, Math.min(trainerNodes, microBatches));
        Rules rules =
                new Rules(worldSize, minNodes, microBatches, split ? chance.from(400, 800) : chance.from(8, 40), 1_500);
        boolean stormy = chance.chance(0.6);
        return new Scenario(
                rules,
                replicas,
                split ? chance.from(20, 100) : chance.from(3, 15),
                chance.chance(0.5),
                chance.from(0, 8),
                split ? chance.from(20_000, 30_000) : chance.from(4_000, 12_000),
                stormy ? chance.between(0, 0.3) : 0,
                stormy ? chance.between(0, 0.3) : 0,
                stormy ? chance.between(0, 0.2) : 0,
                chance.between(3_000, 8_000),
                chance.between(800, 2_000),
                split ? 25_000 : 12_000);
    }
}
