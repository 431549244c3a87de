package io.rasterflow.actors.plan;

import io.rasterflow.actors.exchange.ReductionTree;
import io.rasterflow.actors.exchange.ReductionTree.Span;
import io.rasterflow.streams.order.CounterRandom;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Some training steps of all ranks, in simulated time. A rank computes its run of micro-batches; during the backward pass
 * that completes a partial sum its buckets get ready, last first, are copied to the host and exchanged while earlier
 * blocks still compute; when all are back it updates and goes on, however far the others are.
 *
 * <p>A third of a micro-batch is its forward pass. A bucket takes as much of the backward pass as it has of the
 * parameters.
 */
public final class StepSimulation {

    /** Forms of the exchange. */
    public enum Form {
        DIRECT,
        RING
    }

    /** How far the messages are told apart. */
    public enum Detail {
        EVERY_MESSAGE,
        AGGREGATE,
        /** Every message up to {@value #MAX_MESSAGES} of them in a step. */
        AUTO
    }

    private static final double MAX_MESSAGES = 500_000;
    private static final double FORWARD = 1.0 / 3;
    private static final long SLOW_RANKS = -1;
    private static final int FLOAT_BYTES = 4;

    private final Workload workload;
    private final Cluster cluster;
    private final Form form;
    private final boolean everyMessage;
    private final long seed;
    private final EventQueue queue = new EventQueue();
    private final Network network;
    private final Lane ring = new Lane();
    private final Lane[] toHost;
    private final Lane[] toDevice;
    private final int[] bucketsLeft;
    private final SimulatedExchange[] exchanges;
    private final int[] finished;
    private final double[] ends;
    private final double[] slowest;
    private double computed;

    private StepSimulation(Workload workload, Cluster cluster, Form form, Detail detail, long seed, int steps) {
        Checks.require(
                cluster.ranks() <= workload.microBatches(),
                "--ranks (" + cluster.ranks() + ") must be at most the micro-batches of a step ("
                        + workload.microBatches() + "); raise --micro-batches");
        Checks.require(steps >= 1, "--steps must be at least 1 but is " + steps);
        this.workload = workload;
        this.cluster = cluster;
        this.form = form;
        this.seed = seed;
        double messages = 2.0 * cluster.ranks() * (cluster.ranks() - 1) * workload.buckets();
        this.everyMessage = detail == Detail.EVERY_MESSAGE || (detail == Detail.AUTO && messages <= MAX_MESSAGES);
        this.network = new Network(cluster, queue);
        this.toHost = Stream.generate(Lane::new).limit(cluster.ranks()).toArray(Lane[]::new);
        this.toDevice = Stream.generate(Lane::new).limit(cluster.ranks()).toArray(Lane[]::new);
        this.bucketsLeft = new int[cluster.ranks()];
        this.exchanges = new SimulatedExchange[steps];
        this.finished = new int[steps];
        this.ends = new double[steps];
        this.slowest = new double[steps];
    }

    /**
     * Simulates steps.
     *
     * @throws IllegalArgumentException if there are more ranks than micro-batches
     */
    public static StepTimes run(Workload workload, Cluster cluster, Form form, Detail detail, long seed, int steps) {
        return new StepSimulation(workload, cluster, form, detail, seed, steps).run(steps);
    }

    private StepTimes run(int steps) {
        for (int rank = 0; rank < cluster.ranks(); rank++) {
            begin(rank, 0);
        }
        queue.run();
        if (finished[steps - 1] != cluster.ranks()) {
            throw new IllegalStateException("a simulated step never ended: " + Arrays.toString(finished));
        }
        double step = ends[steps - 1] / steps;
        double slow = Arrays.stream(slowest).sum() / steps;
        double perRank = 1.0 / steps / cluster.ranks();
        return new StepTimes(
                cluster.ranks(),
                workload.microBatches(),
                step,
                computed * perRank,
                slow,
                step - slow - updateSeconds(),
                updateSeconds(),
                network.bytes() * perRank,
                network.cardBytes() / steps / cluster.hosts(),
                everyMessage);
    }

    private double updateSeconds() {
        return workload.updateBytes() / cluster.rank().updateBytesPerSecond();
    }

    // ---- Computing

    private void begin(int rank, int step) {
        bucketsLeft[rank] = workload.buckets();
        CounterRandom random = CounterRandom.of(seed, step, rank);
        double time = queue.now();
        int draw = 0;
        List<Span> partialSums = partialSums(rank);
        for (Span sum : partialSums) {
            double length = 0;
            for (int microBatch = 0; microBatch < sum.count(); microBatch++) {
                length = microBatchSeconds(rank, random, draw++);
                time += length;
            }
            backward(rank, step, time, length, sum == partialSums.get(partialSums.size() - 1));
        }
        double seconds = time - queue.now();
        computed += seconds;
        slowest[step] = Math.max(slowest[step], seconds);
        if (cluster.ranks() == 1) {
            queue.at(time + updateSeconds(), () -> finish(rank, step));
        }
    }

    private List<Span> partialSums(int rank) {
        return ReductionTree.maximalSubtrees(workload.microBatches(), first(rank), first(rank + 1));
    }

    private int first(int rank) {
        return (int) ((long) rank * workload.microBatches() / cluster.ranks());
    }

    /** With jitter of mean 1: exp(σz - σ²/2), z normal. */
    private double microBatchSeconds(int rank, CounterRandom random, int draw) {
        Cluster.Rank machine = cluster.rank();
        double seconds = workload.imagesPerMicroBatch() * workload.flopsPerImage() / machine.reachedFlops();
        boolean slow = CounterRandom.of(seed, SLOW_RANKS, rank).uniform(0) < machine.slowFraction();
        double z = Math.sqrt(-2 * Math.log(1 - random.uniform(2 * draw)))
                * Math.cos(2 * Math.PI * random.uniform(2 * draw + 1));
        double jitter = Math.exp(machine.jitter() * z - machine.jitter() * machine.jitter() / 2);
        return seconds * jitter * (slow ? machine.slowFactor() : 1);
    }

    /** Schedules the buckets of a partial sum whose last micro-batch of that length ends at that time. */
    private void backward(int rank, int step, double end, double length, boolean last) {
        if (cluster.ranks() == 1) {
            return;
        }
        double ready = end - length * (1 - FORWARD);
        for (int bucket = workload.buckets() - 1; bucket >= 0; bucket--) {
            int ofBucket = bucket;
            ready += length * (1 - FORWARD) * workload.bucketFloats().get(bucket) / workload.gradientFloats();
            // The shares add up to one but for rounding.
            queue.at(Math.max(queue.now(), Math.min(ready, end)), () -> leaveDevice(rank, step, ofBucket, last));
        }
    }

    // ---- Exchange

    private double copySeconds(int bucket) {
        return (double) workload.bucketFloats().get(bucket)
                * FLOAT_BYTES
                / cluster.rank().deviceBytesPerSecond();
    }

    private void leaveDevice(int rank, int step, int bucket, boolean last) {
        double seconds = copySeconds(bucket);
        double start = toHost[rank].reserve(queue.now(), seconds);
        queue.at(start + seconds, () -> exchange(step).contribute(rank, bucket, last));
    }

    private SimulatedExchange exchange(int step) {
        if (exchanges[step] == null) {
            exchanges[step] = create((rank, bucket) -> reduced(rank, step, bucket));
        }
        return exchanges[step];
    }

    private SimulatedExchange create(SimulatedExchange.Listener listener) {
        if (form == Form.RING) {
            return everyMessage
                    ? new HopRing(workload, network, listener)
                    : new WaveRing(workload, network, ring, listener);
        }
        int partialSums = 0;
        for (int rank = 0; rank < cluster.ranks(); rank++) {
            partialSums += partialSums(rank).size();
        }
        return everyMessage
                ? new PairwiseDirect(workload, network, partialSums, listener)
                : new SweptDirect(workload, network, partialSums, listener);
    }

    private void reduced(int rank, int step, int bucket) {
        double seconds = copySeconds(bucket);
        double start = toDevice[rank].reserve(queue.now(), seconds);
        queue.at(start + seconds, () -> {
            if (--bucketsLeft[rank] == 0) {
                queue.at(queue.now() + updateSeconds(), () -> finish(rank, step));
            }
        });
    }

    private void finish(int rank, int step) {
        ends[step] = queue.now();
        if (++finished[step] == cluster.ranks()) {
            exchanges[step] = null;
        }
        if (step + 1 < ends.length) {
            begin(rank, step + 1);
        }
    }
}
