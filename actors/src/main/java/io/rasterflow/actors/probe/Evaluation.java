package io.rasterflow.actors.probe;

import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.Evaluator;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.probe.FeatureSet;
import io.rasterflow.model.probe.ProbeReport;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.SystemMaterializer;

/** Validation loss and probe accuracy of one set of weights. Blocks, and is confined to one thread. */
public final class Evaluation implements AutoCloseable {

    private final ActorSystem<?> system;
    private final String node;
    private final RunPlan plan;
    private final DataSet train;
    private final DataSet validation;
    private final Evaluator evaluator;

    /**
     * @param node name that the events carry
     * @param train labelled images that probes are trained on
     * @param validation labelled images that loss and accuracy are taken on
     */
    public Evaluation(ActorSystem<?> system, String node, RunPlan plan, DataSet train, DataSet validation) {
        this.system = system;
        this.node = node;
        this.plan = plan;
        this.train = train;
        this.validation = validation;
        this.evaluator = Aim.evaluator(plan.model(), plan.train().compute());
    }

    /** Takes the weights of a checkpoint directory. */
    public void load(Path checkpoint) throws IOException {
        evaluator.load(Checkpoint.read(checkpoint).snapshot());
    }

    /** The objective's loss over all validation images, with a prefix per image that never changes. */
    public Event.Validation validate(long step) throws IOException {
        long start = System.nanoTime();
        LossSum[] sum = {LossSum.ZERO};
        int[] images = {0};
        forEach(validation, Long.MAX_VALUE, batch -> {
            sum[0] = sum[0].plus(evaluator.loss(batch.images(), batch.keys()));
            images[0] += batch.labels().length;
        });
        return new Event.Validation(System.currentTimeMillis(), node, step, sum[0].mean(), images[0], seconds(start));
    }

    /** Top-1 accuracy of an attentive probe trained on frozen features of the training images. */
    public Event.Probe probe(long step, double validationLoss) throws IOException {
        long start = System.nanoTime();
        int lastBlocks = plan.probe().attentive().lastBlocks();
        long trainImages = Math.min(plan.probe().trainImages(), train.size());
        try (FeatureSet trainFeatures = evaluator.newFeatureSet(Math.toIntExact(trainImages), lastBlocks);
                FeatureSet validationFeatures =
                        evaluator.newFeatureSet(Math.toIntExact(validation.size()), lastBlocks)) {
            forEach(train, trainImages, batch -> evaluator.features(batch.images(), batch.labels(), trainFeatures));
            forEach(
                    validation,
                    Long.MAX_VALUE,
                    batch -> evaluator.features(batch.images(), batch.labels(), validationFeatures));
            ProbeReport report = evaluator.probe(
                    trainFeatures,
                    validationFeatures,
                    plan.probe().attentive(),
                    plan.train().seed());
            return new Event.Probe(
                    System.currentTimeMillis(),
                    node,
                    step,
                    "attentive",
                    report.accuracy(),
                    validationLoss,
                    trainFeatures.size(),
                    validationFeatures.size(),
                    seconds(start));
        }
    }

    private void forEach(DataSet images, long limit, Consumer<Batch> consumer) throws IOException {
        try (BatchReader reader = BatchReader.open(
                Batches.evaluation(
                        images,
                        plan.data().augment(),
                        plan.data().stream(),
                        plan.train().seed(),
                        plan.probe().batch(),
                        limit),
                SystemMaterializer.get(system).materializer())) {
            for (Optional<Batch> next = reader.next(); next.isPresent(); next = reader.next()) {
                try (Batch batch = next.get()) {
                    consumer.accept(batch);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while reading images", e);
        }
    }

    private static double seconds(long startNanos) {
        return (System.nanoTime() - startNanos) * 1e-9;
    }

    @Override
    public void close() {
        evaluator.close();
    }
}
