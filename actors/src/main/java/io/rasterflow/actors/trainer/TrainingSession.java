package io.rasterflow.actors.trainer;

import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.membership.Assignment;
import io.rasterflow.actors.membership.History;
import io.rasterflow.actors.membership.Member;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Replica;
import io.rasterflow.model.optimizer.NoiseScale;
import io.rasterflow.model.optimizer.Schedule;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.order.BatchPlan;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.SystemMaterializer;

/**
 * One rank's work within one generation: its replica, its stream of micro-batches and its part of the all-reduce. A step
 * is fetch, compute, exchange, update; the trainer actor drives it. Confined to the trainer's pinned thread.
 */
final class TrainingSession implements AutoCloseable {

    // What this rank is
    private final TrainerNode node;
    private final Generation generation;
    private final int rank;
    private final int firstMicroBatch;
    private final int endMicroBatch;

    // What it works with
    private final Replica replica;
    private final BatchReader batches;
    private final Schedule schedule;
    private final Optional<NoiseScale> noiseScale;

    // What it has from the moment that all ranks are connected
    private CompletionStage<Exchange> connecting = new CompletableFuture<>();
    private Exchange exchange;

    // What it has from its first step on
    private StepClock clock;

    // Where it is
    private long step;
    private int nextMicroBatch;
    private double microBatchSeconds;
    private double loss = Double.NaN;

    /**
     * Its images are on their way from now on.
     *
     * @param place of the rank in its generation
     * @param replica which stays its owner's
     * @param noiseScale that goes on over generations
     */
    TrainingSession(
            ActorSystem<?> system,
            TrainerNode node,
            Assignment place,
            Replica replica,
            Optional<NoiseScale> noiseScale) {
        this.node = node;
        this.generation = place.generation();
        this.rank = place.rank();
        this.step = place.firstStep();
        this.replica = replica;
        this.noiseScale = noiseScale;
        RunPlan plan = node.plan();
        this.firstMicroBatch = generation.firstMicroBatch(rank);
        this.endMicroBatch = generation.firstMicroBatch(rank + 1);
        this.nextMicroBatch = firstMicroBatch;
        this.schedule = plan.train().rates();
        this.batches = BatchReader.open(
                Batches.training(
                        node.images(),
                        plan.train().seed(),
                        plan.train().batches(),
                        plan.data().augment(),
                        plan.data().stream(),
                        step,
                        plan.train().steps(),
                        firstMicroBatch,
                        endMicroBatch),
                SystemMaterializer.get(system).materializer());
    }

    /** Connects to the other ranks. The exchange is this session's, whenever it comes. */
    CompletionStage<Exchange> connect(Connections connections) {
        connecting = connections.of(generation, rank);
        return connecting;
    }

    /** All ranks are connected. */
    void joined(Exchange joined) {
        exchange = joined;
    }

    boolean isJoined() {
        return exchange != null;
    }

    /**
     * All ranks are connected, and the replica holds the weights of the first step.
     *
     * @param digest of the history that the weights come from
     */
    void begin(String digest) {
        clock = new StepClock();
        node.telemetry()
                .record(new Event.Formed(
                        System.currentTimeMillis(),
                        node.name(),
                        generation.number(),
                        rank,
                        generation.worldSize(),
                        generation.microBatches(),
                        firstMicroBatch,
                        endMicroBatch,
                        step,
                        digest));
    }

    /** Mean loss of the last step over the global batch; NaN before the first. */
    double loss() {
        return loss;
    }

    /** Seconds that the last micro-batch took to compute. */
    double microBatchSeconds() {
        return microBatchSeconds;
    }

    /** As {@link Exchange#signal}; lost before the beginning. */
    void signal(int bits) {
        if (exchange != null) {
            exchange.signal(bits);
        }
    }

    /** The rank's next micro-batch in order; empty when the run's last step has been served. */
    CompletionStage<Optional<Batch>> nextBatch() {
        return batches.pull();
    }

    /**
     * Forward and backward of one micro-batch, added to the step's gradient.
     *
     * @return whether it was the rank's last micro-batch of this step
     */
    boolean compute(Batch batch) {
        try (batch) {
            if (batch.step() != step || batch.microBatch() != nextMicroBatch) {
                throw new IllegalStateException("expected micro-batch " + nextMicroBatch + " of step " + step
                        + " but the stream gave " + batch.microBatch() + " of step " + batch.step());
            }
            clock.markBatch(batch);
            batches.pullEarly();
            journal(batch);
            if (nextMicroBatch == firstMicroBatch) {
                exchange.begin(step);
            }
            long begun = System.nanoTime();
            LossSum sum = replica.gradients(batch.images(), batch.keys(), exchange.nextGradient(), exchange::ready);
            exchange.contribute(sum.sum(), sum.patches(), batch.labels().length);
            microBatchSeconds = (System.nanoTime() - begun) * 1e-9;
            clock.markCompute();
        }
        nextMicroBatch++;
        return nextMicroBatch == endMicroBatch;
    }

    CompletionStage<Exchange.Reduced> allReduce() {
        return exchange.allReduce();
    }

    /**
     * Applies the global gradient and reports the step.
     *
     * @param member whose history the step becomes part of
     * @throws NonFiniteLossException before anything is changed, on every rank alike
     */
    void update(Exchange.Reduced reduced, Member member) {
        clock.markExchange();
        double rate = schedule.at(step);
        double mean = reduced.lossSum() / reduced.patches();
        if (!reduced.finite() || !Double.isFinite(mean)) {
            throw new NonFiniteLossException(step, "loss", mean, culprit(reduced));
        }
        long hash = History.hash(reduced);
        double norm = replica.update(reduced.gradientSum(), reduced.patches(), rate);
        if (!Double.isFinite(norm)) {
            throw new NonFiniteLossException(step, "gradient norm", norm, "");
        }
        double noise = noiseScale
                .map(scale -> scale.add(reduced.meanSquaredNorm(), norm * norm))
                .orElse(Double.NaN);
        clock.markUpdate();
        loss = mean;
        step++;
        member.applied(hash);
        nextMicroBatch = firstMicroBatch;
        long now = System.currentTimeMillis();
        double epoch =
                (double) step * node.plan().train().batch() / node.images().size();
        node.telemetry()
                .record(new Event.Commit(
                        now,
                        node.name(),
                        rank,
                        generation.number(),
                        step - 1,
                        firstMicroBatch,
                        endMicroBatch,
                        member.digest()));
        node.telemetry()
                .record(new Event.Step(
                        now,
                        node.name(),
                        rank,
                        generation.worldSize(),
                        generation.number(),
                        step - 1,
                        epoch,
                        mean,
                        norm,
                        rate,
                        reduced.images(),
                        clock.turn(),
                        noise));
        node.input().report(step);
    }

    /** Where a loss that is not finite came from. */
    private String culprit(Exchange.Reduced reduced) {
        int microBatch = reduced.nonFinite();
        if (microBatch < 0) {
            return "";
        }
        int owner = 0;
        while (generation.firstMicroBatch(owner + 1) <= microBatch) {
            owner++;
        }
        return "micro-batch " + microBatch + " of rank " + owner;
    }

    /** Needs micro-batches of at least one image, and more than one of them. */
    static Optional<NoiseScale> noiseScale(RunPlan run) {
        BatchPlan plan = run.train().batches();
        if (plan.microBatches() == 1) {
            return Optional.empty();
        }
        double inverse = IntStream.range(0, plan.microBatches())
                .mapToDouble(m -> 1.0 / plan.size(m))
                .sum();
        return Optional.of(new NoiseScale(plan.microBatches() / inverse, plan.globalBatch()));
    }

    /** Time that went by outside of the step: snapshots, control messages. */
    void markWaiting() {
        if (clock != null) {
            clock.markWaiting();
        }
    }

    private void journal(Batch batch) {
        long now = System.currentTimeMillis();
        node.telemetry()
                .record(new Event.Lease(
                        now,
                        node.name(),
                        rank,
                        generation.number(),
                        step,
                        batch.microBatch(),
                        batch.positions()[0],
                        batch.labels().length));
        batch.badSamples().forEach(bad -> {
            node.telemetry()
                    .record(new Event.BadSample(
                            now,
                            node.name(),
                            step,
                            bad.shard(),
                            bad.offset(),
                            bad.key(),
                            bad.position(),
                            bad.cause(),
                            bad.firstBytes()));
            node.pictures().take(bad);
        });
    }

    /** Stops the stream and leaves the exchange, also one that comes later. */
    @Override
    public void close() {
        try {
            batches.close();
        } finally {
            var unused = connecting.thenAccept(Exchange::close);
        }
    }
}
