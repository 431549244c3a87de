package io.rasterflow.actors.finetune;

import io.rasterflow.actors.run.DataPlan;
import io.rasterflow.model.Compute;
import io.rasterflow.model.aim.AimConfig;
import io.rasterflow.model.checkpoint.Tensor;
import io.rasterflow.model.finetune.BatchMixer;
import io.rasterflow.model.finetune.FineTuneConfig;
import io.rasterflow.model.finetune.FineTuner;
import io.rasterflow.model.finetune.Scores;
import io.rasterflow.model.optimizer.Schedule;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.order.BatchPlan;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;

/**
 * Fine-tunes one set of weights: fetch, mix, step; at the end of every epoch an evaluation. Blocks, and is confined to
 * one thread.
 */
public final class FineTuning implements AutoCloseable {

    // What it works on
    private final Materializer materializer;
    private final DataPlan plan;
    private final DataSet train;
    private final DataSet validation;

    // What it works with
    private final FineTuneConfig config;
    private final FineTuner tuner;
    private final BatchMixer mixer;
    private final long stepsPerEpoch;

    // Where it is
    private long step;
    private long badSamples;
    private long trainNanos;

    /**
     * @param train labelled images that are trained on, augmented as {@code plan} says
     * @param validation labelled images that accuracy is taken on
     */
    public FineTuning(
            ActorSystem<?> system,
            AimConfig model,
            FineTuneConfig config,
            Compute compute,
            DataPlan plan,
            DataSet train,
            DataSet validation) {
        this.materializer = SystemMaterializer.get(system).materializer();
        this.plan = plan;
        this.train = train;
        this.validation = validation;
        this.config = config;
        this.tuner = new FineTuner(model, config, compute);
        this.mixer = new BatchMixer(config, model.channels(), model.imageSize());
        this.stepsPerEpoch = Math.max(1, train.size() / config.batch());
    }

    /** The model as it stands. */
    public FineTuner tuner() {
        return tuner;
    }

    /**
     * Trains from pre-trained weights to the end.
     *
     * @throws IllegalArgumentException if the weights do not fit the model or a label is missing
     * @throws IllegalStateException if the loss stops being a number
     */
    public FineTuneReport run(SortedMap<String, Tensor> weights, FineTuneProgress progress) throws IOException {
        long start = System.nanoTime();
        tuner.load(weights);
        long steps = config.epochs() * stepsPerEpoch;
        Schedule schedule =
                Schedule.cosine(config.learningRate(), Math.round(config.warmupEpochs() * stepsPerEpoch), steps);
        List<FineTuneReport.Epoch> epochs = new ArrayList<>();
        try (BatchReader batches = BatchReader.open(
                Batches.training(
                        train,
                        config.seed(),
                        new BatchPlan(config.batch(), 1),
                        plan.augment(),
                        plan.stream(),
                        0,
                        steps,
                        0,
                        1),
                materializer)) {
            for (int epoch = 1; epoch <= config.epochs(); epoch++) {
                double lossSum = 0;
                for (long end = epoch * stepsPerEpoch; step < end; ) {
                    lossSum += step(batches, schedule);
                    progress.stepped(step, steps, lossSum / (step - end + stepsPerEpoch), imagesPerSecond());
                }
                Scores scores = evaluate();
                epochs.add(new FineTuneReport.Epoch(
                        epoch,
                        lossSum / stepsPerEpoch,
                        scores.loss(),
                        scores.accuracy(),
                        scores.topFive(),
                        scores.images()));
                progress.evaluated(epochs.get(epochs.size() - 1));
            }
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        double seconds = (System.nanoTime() - start) * 1e-9;
        return new FineTuneReport(
                epochs, step, tuner.trainable(), train.size(), badSamples, imagesPerSecond(), seconds);
    }

    private double step(BatchReader batches, Schedule schedule) throws IOException, InterruptedException {
        long start = System.nanoTime();
        Optional<Batch> next = batches.next();
        try (Batch batch = next.orElseThrow(() -> new IOException("the images ended at step " + step))) {
            BatchMixer.Mixed mixed = mixer.apply(batch.images(), batch.labels(), batch.keys(), step);
            FineTuner.Step taken = tuner.step(mixed.images(), mixed.targets(), schedule.at(step));
            if (!Double.isFinite(taken.loss() + taken.gradientNorm())) {
                throw new IllegalStateException("at step " + step + " the loss is " + taken.loss()
                        + " and the gradient norm " + taken.gradientNorm()
                        + "; lower finetune.learningRate or set finetune.clip");
            }
            badSamples += batch.badSamples().size();
            step++;
            trainNanos += System.nanoTime() - start;
            return taken.loss();
        }
    }

    private Scores evaluate() throws IOException, InterruptedException {
        Scores scores = Scores.ZERO;
        try (BatchReader batches = BatchReader.open(
                Batches.evaluation(validation, plan.augment(), plan.stream(), config.seed(), config.batch(), 0),
                materializer)) {
            for (Optional<Batch> next = batches.next(); next.isPresent(); next = batches.next()) {
                try (Batch batch = next.get()) {
                    scores = scores.plus(tuner.evaluate(batch.images(), batch.labels()));
                }
            }
        }
        return scores;
    }

    private double imagesPerSecond() {
        return step * config.batch() / (trainNanos * 1e-9);
    }

    private static IOException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new IOException("interrupted while reading images", e);
    }

    @Override
    public void close() {
        tuner.close();
    }
}
