package io.rasterflow.actors.plan;

/**
 * The ring in aggregate. A slice visits every rank, so no bucket is complete before the last rank has contributed, and
 * from there on all ranks do the same at the same time: one wave per bucket, begun by the last contribution. A wave takes
 * as long as its slices need for 2(w-1) hops, or as the busiest part of the way needs for all that passes it, whichever is
 * longer; the next wave follows as soon as that part is free. What is lost: the hops that a bucket makes before the last
 * rank contributes.
 */
final class WaveRing implements SimulatedExchange {

    private final Workload workload;
    private final Network network;
    private final Cluster cluster;
    private final Listener listener;
    private final Lane ring;
    private final int[] contributed;
    private double latest;

    /** @param ring shared by the steps of a run */
    WaveRing(Workload workload, Network network, Lane ring, Listener listener) {
        this.workload = workload;
        this.network = network;
        this.cluster = network.cluster();
        this.ring = ring;
        this.listener = listener;
        this.contributed = new int[workload.buckets()];
    }

    @Override
    public void contribute(int rank, int bucket, boolean last) {
        if (last && ++contributed[bucket] == cluster.ranks()) {
            wave(bucket);
        }
    }

    private void wave(int bucket) {
        double slice = workload.bucketBytes(bucket) / cluster.ranks();
        int hops = 2 * (cluster.ranks() - 1);
        boolean many = cluster.hosts() > 1;
        network.count((double) hops * cluster.ranks() * slice, many ? (double) hops * cluster.hosts() * slice : 0);
        double card = many ? slice / cluster.link().nicBytesPerSecond() : 0;
        double memory = cluster.local() * slice / cluster.link().memoryBytesPerSecond();
        double busiest = hops * Math.max(cluster.threadSeconds(slice), Math.max(card, memory));
        double start = ring.reserve(network.queue().now(), busiest);
        latest = Math.max(latest, start + Math.max(busiest, hops * meanHop(slice)));
        network.queue().at(latest, () -> {
            for (int rank = 0; rank < cluster.ranks(); rank++) {
                listener.reduced(rank, bucket);
            }
        });
    }

    /** One of a host's hops goes to the next host. */
    private double meanHop(double slice) {
        double inside = hop(slice, false);
        return cluster.hosts() == 1 ? inside : inside + (hop(slice, true) - inside) / cluster.local();
    }

    /** A message that meets nobody, as {@link Network} sends it. */
    private double hop(double slice, boolean away) {
        double thread = cluster.threadSeconds(slice);
        double first = thread / Cluster.frames(slice);
        double latency = away ? cluster.link().latencySeconds() : 0;
        double card = away ? slice / cluster.link().nicBytesPerSecond() : 0;
        double memory = slice / cluster.link().memoryBytesPerSecond();
        double sent = Math.max(thread, first + Math.max(card, memory)) + latency;
        return sent + first;
    }
}
