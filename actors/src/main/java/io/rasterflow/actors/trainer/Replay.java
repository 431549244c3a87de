package io.rasterflow.actors.trainer;

import io.rasterflow.actors.exchange.DataPlane;
import io.rasterflow.actors.exchange.DataPlaneConfig;
import io.rasterflow.actors.exchange.Exchange;
import io.rasterflow.actors.exchange.Generation;
import io.rasterflow.actors.membership.History;
import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.Compute;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.Replica;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.streams.batch.BadSample;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.format.SampleEntry;
import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.order.Order;
import io.rasterflow.streams.order.SampleId;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.SystemMaterializer;

/**
 * A step of a run, computed again by one rank from the last checkpoint before it, with what each of its images
 * contributed. Sums are those of the run bit for bit, whatever its world size was, but with bf16 on the wire.
 */
public final class Replay {

    /**
     * One image of the step.
     *
     * @param position global sample position
     * @param id which sample the order has there
     * @param shard as it is named in the configuration
     * @param offset byte offset of the image in the uncompressed shard
     * @param key within the shard
     * @param label class, -1 if it has none
     * @param loss mean over its counted patches
     * @param gradientNorm of that loss
     * @param quarantined why another image took its place; empty if none did
     */
    public record Image(
            long position,
            SampleId id,
            String shard,
            long offset,
            String key,
            int label,
            int microBatch,
            double loss,
            double gradientNorm,
            String quarantined) {}

    /**
     * The step.
     *
     * @param checkpoint step of the checkpoint that it was computed from
     * @param loss mean over the global batch
     * @param gradientNorm before clipping; NaN if the loss is not finite, and then nothing was applied
     * @param digest as {@link History} has it after the step; empty if nothing was applied
     * @param images in the order of their positions
     */
    public record Result(
            long step,
            long checkpoint,
            double loss,
            double gradientNorm,
            double learningRate,
            String digest,
            List<Image> images) {}

    private final RunPlan plan;
    private final DataSet data;
    private final BatchPlan batches;
    private final Order order;
    private final long step;
    private final Replica replica;
    private final Exchange exchange;
    private final List<ByteBuffer> scratch;
    private final List<Image> images = new ArrayList<>();

    private Replay(RunPlan plan, DataSet data, long step, Replica replica, Exchange exchange) {
        this.plan = plan;
        this.data = data;
        this.batches = plan.train().batches();
        this.order = data.order(plan.train().seed(), plan.data().stream().windowShards());
        this.step = step;
        this.replica = replica;
        this.exchange = exchange;
        this.scratch = replica.bucketFloats().stream()
                .map(floats -> ByteBuffer.allocateDirect(floats * Float.BYTES).order(ByteOrder.nativeOrder()))
                .toList();
    }

    /**
     * Computes a step again; blocks.
     *
     * @param data the training images of the run
     * @param checkpoint of the same run, of that step or before
     * @param step global step, 0-based
     * @param progress is told how much is done, from 0 to 1
     * @throws IOException one line, if checkpoint or images cannot be read
     * @throws IllegalArgumentException one line, if the checkpoint is of another run
     */
    public static Result of(
            ActorSystem<?> system, RunPlan plan, DataSet data, Path checkpoint, long step, DoubleConsumer progress)
            throws IOException, InterruptedException {
        Checkpoint.Contents contents = Checkpoint.read(checkpoint);
        plan.requireContinues(contents.state());
        DataPlaneConfig alone =
                new DataPlaneConfig("127.0.0.1", 0, UUID.randomUUID().toString());
        try (Replica replica = Aim.replica(plan.model(), plan.optimizer(), compute(plan));
                DataPlane dataPlane = DataPlane.bind(alone, plan.exchange())) {
            replica.restore(contents.snapshot());
            Generation generation = new Generation(
                    1, List.of(dataPlane.address(0)), plan.train().microBatches());
            try (Exchange exchange = dataPlane
                    .join(generation, 0, replica.bucketFloats())
                    .toCompletableFuture()
                    .join()) {
                return new Replay(plan, data, step, replica, exchange)
                        .run(system, contents.state().step(), contents.state().history(), progress);
            }
        }
    }

    /** All processors: the number of threads changes no bit. */
    private static Compute compute(RunPlan plan) {
        Compute compute = plan.train().compute();
        return new Compute(
                compute.precision(),
                compute.device(),
                compute.activationBytes(),
                Runtime.getRuntime().availableProcessors());
    }

    private Result run(ActorSystem<?> system, long first, String history, DoubleConsumer progress)
            throws IOException, InterruptedException {
        String digest = history;
        try (BatchReader reader = BatchReader.open(
                Batches.training(
                        data,
                        plan.train().seed(),
                        batches,
                        plan.data().augment(),
                        plan.data().stream(),
                        first,
                        step + 1,
                        0,
                        batches.microBatches()),
                SystemMaterializer.get(system).materializer())) {
            for (long current = first; ; current++) {
                Exchange.Reduced reduced = sum(reader, current);
                double rate = plan.train().rates().at(current);
                double loss = reduced.lossSum() / reduced.patches();
                double norm = Double.NaN;
                boolean applied = reduced.finite() && Double.isFinite(loss);
                if (applied) {
                    long hash = History.hash(reduced);
                    norm = replica.update(reduced.gradientSum(), reduced.patches(), rate);
                    applied = Double.isFinite(norm);
                    digest = applied ? History.after(digest, hash, current + 1) : "";
                }
                if (current == step) {
                    return new Result(step, first, loss, norm, rate, applied ? digest : "", List.copyOf(images));
                }
                if (!applied) {
                    throw new IOException("the run cannot have gone beyond step " + current + ", whose loss is " + loss
                            + " and whose gradient norm is " + norm + "; replay that step");
                }
                progress.accept((current + 1.0 - first) / (step + 1 - first));
            }
        }
    }

    private Exchange.Reduced sum(BatchReader reader, long current) throws IOException, InterruptedException {
        exchange.begin(current);
        for (int m = 0; m < batches.microBatches(); m++) {
            try (Batch batch = reader.next()
                    .orElseThrow(() -> new IOException("the stream ended before step " + current + " was complete"))) {
                LossSum sum = replica.gradients(batch.images(), batch.keys(), exchange.nextGradient(), exchange::ready);
                exchange.contribute(sum.sum(), sum.patches(), batch.labels().length);
                if (current == step) {
                    addImages(batch);
                }
            }
        }
        return exchange.allReduce().toCompletableFuture().join();
    }

    /** What each image alone contributes, with the weights of before the step. */
    private void addImages(Batch batch) throws IOException {
        Map<Long, BadSample> bad =
                batch.badSamples().stream().collect(Collectors.toMap(BadSample::position, Function.identity()));
        int count = batch.labels().length;
        int bytes = batch.images().limit() / count;
        for (int i = 0; i < count; i++) {
            ByteBuffer image = batch.images().slice(i * bytes, bytes).order(ByteOrder.nativeOrder());
            LossSum own = replica.gradients(image, new long[] {batch.keys()[i]}, scratch, bucket -> {});
            long position = batch.positions()[i];
            SampleId id = order.at(position);
            SampleEntry entry = data.entry(id);
            images.add(new Image(
                    position,
                    id,
                    data.shardName(id.shard()),
                    entry.offset(),
                    entry.key(),
                    batch.labels()[i],
                    batch.microBatch(),
                    own.mean(),
                    norm() / own.patches(),
                    bad.containsKey(position) ? bad.get(position).cause() : ""));
        }
    }

    private double norm() {
        double sum = 0;
        for (ByteBuffer bucket : scratch) {
            for (int i = 0; i < bucket.capacity(); i += Float.BYTES) {
                double value = bucket.getFloat(i);
                sum += value * value;
            }
        }
        return Math.sqrt(sum);
    }
}
