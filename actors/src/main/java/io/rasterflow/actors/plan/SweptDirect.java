package io.rasterflow.actors.plan;

import java.util.stream.Stream;

/**
 * The direct exchange in aggregate: the w-1 messages that a rank sends of a bucket leave it back to back, so they are one
 * sweep, one reservation of its thread and of its host's card. Every receiving host's card and memory is still reserved
 * sweep by sweep, in the order in which sweeps begin. What is lost: where in a sweep a receiver's piece lies, that is less
 * than the duration of one sweep of one bucket; ranks of one host are taken to receive alike.
 */
final class SweptDirect implements SimulatedExchange {

    private final Workload workload;
    private final Network network;
    private final Cluster cluster;
    private final EventQueue queue;
    private final Lane[] receivers;
    private final Gathering addends;
    private final Gathering slices;

    /** @param partialSums of one bucket, over all ranks */
    SweptDirect(Workload workload, Network network, int partialSums, Listener listener) {
        this.workload = workload;
        this.network = network;
        this.cluster = network.cluster();
        this.queue = network.queue();
        this.receivers = Stream.generate(Lane::new).limit(cluster.hosts()).toArray(Lane[]::new);
        this.slices = new Gathering(cluster.ranks(), listener::reduced);
        this.addends = new Gathering(partialSums, (owner, bucket) -> sweep(owner, bucket, slices));
    }

    @Override
    public void contribute(int rank, int bucket, boolean last) {
        sweep(rank, bucket, addends);
    }

    private void sweep(int rank, int bucket, Gathering to) {
        double slice = workload.bucketBytes(bucket) / cluster.ranks();
        double seconds = (cluster.ranks() - 1) * cluster.threadSeconds(slice);
        double start = network.sender(rank).reserve(queue.now(), seconds);
        double first = cluster.threadSeconds(slice) / Cluster.frames(slice);
        int away = cluster.ranks() - cluster.local();
        network.count((cluster.ranks() - 1) * slice, away * slice);
        queue.at(start + first, () -> depart(rank, bucket, slice, start + seconds, to));
    }

    private void depart(int rank, int bucket, double slice, double threadEnd, Gathering to) {
        int host = cluster.host(rank);
        reach(host, bucket, (cluster.local() - 1) * slice, slice, queue.now(), threadEnd, to);
        if (cluster.hosts() == 1) {
            return;
        }
        double seconds =
                (cluster.ranks() - cluster.local()) * slice / cluster.link().nicBytesPerSecond();
        double start = network.out(host).reserve(queue.now(), seconds);
        double latency = cluster.link().latencySeconds();
        double end = Math.max(threadEnd, start + seconds) + latency;
        queue.at(start + latency, () -> {
            double piece = cluster.local() * slice;
            double service = piece / cluster.link().nicBytesPerSecond();
            for (int other = 0; other < cluster.hosts(); other++) {
                if (other != host) {
                    double in = network.in(other).reserve(queue.now(), service);
                    reach(other, bucket, piece, slice, in, Math.max(end, in + service), to);
                }
            }
        });
    }

    /** A host takes in what a sweep has for it: bytes from {@code begin} on, the last not before {@code end}. */
    private void reach(int host, int bucket, double bytes, double slice, double begin, double end, Gathering to) {
        double service = bytes / cluster.link().memoryBytesPerSecond();
        double start = network.memory(host).reserve(begin, service);
        double thread = cluster.threadSeconds(slice);
        double first = thread / Cluster.frames(slice);
        double taken = receivers[host].reserve(start, thread);
        double last = Math.max(end, start + service) + first;
        to.arrived(host, bucket, Math.max(last, taken + thread));
    }

    /** Waits at every host until something has come from everybody. */
    private final class Gathering {
        private final int expected;
        private final Listener whenAll;
        private final int[][] arrived;
        private final double[][] latest;

        Gathering(int expected, Listener whenAll) {
            this.expected = expected;
            this.whenAll = whenAll;
            this.arrived = new int[workload.buckets()][cluster.hosts()];
            this.latest = new double[workload.buckets()][cluster.hosts()];
        }

        void arrived(int host, int bucket, double time) {
            latest[bucket][host] = Math.max(latest[bucket][host], time);
            if (++arrived[bucket][host] == expected) {
                queue.at(latest[bucket][host], () -> {
                    for (int local = 0; local < cluster.local(); local++) {
                        whenAll.reduced(host * cluster.local() + local, bucket);
                    }
                });
            }
        }
    }
}
