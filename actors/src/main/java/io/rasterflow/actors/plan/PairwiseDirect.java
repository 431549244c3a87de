package io.rasterflow.actors.plan;

/**
 * Direct reduce-scatter and all-gather, every message on its own: a rank sends slice p of each partial sum to rank p,
 * which adds when it has all of them and sends the result to everybody. Ranks send to the right first, so that not all
 * begin with the same receiver.
 */
final class PairwiseDirect implements SimulatedExchange {

    private final Workload workload;
    private final Network network;
    private final int partialSums;
    private final Listener listener;
    private final int ranks;
    private final int[][] addends;
    private final int[][] slices;

    /** @param partialSums of one bucket, over all ranks */
    PairwiseDirect(Workload workload, Network network, int partialSums, Listener listener) {
        this.workload = workload;
        this.network = network;
        this.partialSums = partialSums;
        this.listener = listener;
        this.ranks = network.cluster().ranks();
        this.addends = new int[ranks][workload.buckets()];
        this.slices = new int[ranks][workload.buckets()];
    }

    private double slice(int bucket) {
        return workload.bucketBytes(bucket) / ranks;
    }

    @Override
    public void contribute(int rank, int bucket, boolean last) {
        for (int distance = 1; distance < ranks; distance++) {
            int owner = (rank + distance) % ranks;
            network.send(rank, owner, slice(bucket), () -> addend(owner, bucket));
        }
        addend(rank, bucket);
    }

    private void addend(int owner, int bucket) {
        if (++addends[owner][bucket] < partialSums) {
            return;
        }
        for (int distance = 1; distance < ranks; distance++) {
            int peer = (owner + distance) % ranks;
            network.send(owner, peer, slice(bucket), () -> slice(peer, bucket));
        }
        slice(owner, bucket);
    }

    private void slice(int rank, int bucket) {
        if (++slices[rank][bucket] == ranks) {
            listener.reduced(rank, bucket);
        }
    }
}
