package io.rasterflow.actors.plan;

/**
 * A ring, every message on its own: 2(w-1) hops of a slice each, to the right. Of hops 0 … w-2 the receiver adds its own
 * slice before it passes the sum on; the others spread the result.
 */
final class HopRing implements SimulatedExchange {

    private final Workload workload;
    private final Network network;
    private final Listener listener;
    private final int ranks;
    private final boolean[][] ready;
    private final int[][] received;

    HopRing(Workload workload, Network network, Listener listener) {
        this.workload = workload;
        this.network = network;
        this.listener = listener;
        this.ranks = network.cluster().ranks();
        this.ready = new boolean[ranks][workload.buckets()];
        this.received = new int[ranks][workload.buckets()];
    }

    @Override
    public void contribute(int rank, int bucket, boolean last) {
        if (!last) {
            return;
        }
        ready[rank][bucket] = true;
        pass(rank, bucket);
        for (int waiting = 0; waiting < received[rank][bucket]; waiting++) {
            pass(rank, bucket);
        }
    }

    private void pass(int rank, int bucket) {
        int right = (rank + 1) % ranks;
        network.send(rank, right, workload.bucketBytes(bucket) / ranks, () -> arrived(right, bucket));
    }

    private void arrived(int rank, int bucket) {
        int hops = ++received[rank][bucket];
        int all = 2 * (ranks - 1);
        if (hops == all) {
            listener.reduced(rank, bucket);
        } else if (ready[rank][bucket]) {
            pass(rank, bucket);
        }
    }
}
