package io.rasterflow.actors.probe;

import io.rasterflow.actors.run.RunPlan;
import io.rasterflow.model.Evaluator;
import io.rasterflow.model.LossSum;
import io.rasterflow.model.aim.Aim;
import io.rasterflow.model.checkpoint.Checkpoint;
import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.probe.AttentionMap;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeKind;
import io.rasterflow.model.probe.ProbeReport;
import io.rasterflow.model.probe.ProbeReports;
import io.rasterflow.monitoring.event.Event;
import io.rasterflow.monitoring.event.Histogram;
import io.rasterflow.monitoring.images.ImageArchive;
import io.rasterflow.streams.batch.Batch;
import io.rasterflow.streams.batch.BatchReader;
import io.rasterflow.streams.batch.Batches;
import io.rasterflow.streams.shard.DataSet;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.DoubleConsumer;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.SystemMaterializer;

/** Validation loss, pictures of predictions and probe accuracy of one set of weights. Blocks, and is confined to one thread. */
public final class Evaluation implements AutoCloseable {

    private final ActorSystem<?> system;
    private final String node;
    private final RunPlan plan;
    private final DataSet validation;
    private final Evaluator evaluator;
    private final ShownImages shown;
    private String weights = Event.Validation.MODEL;
    /** Where an attentive probe of these weights looks in the images that are shown, by the set that it learned from. */
    private final Map<String, List<AttentionMap>> attention = new LinkedHashMap<>();

    /**
     * @param node name that the events carry
     * @param validation images that the loss is taken on
     */
    public Evaluation(ActorSystem<?> system, String node, RunPlan plan, DataSet validation) {
        this.system = system;
        this.node = node;
        this.plan = plan;
        this.validation = validation;
        this.evaluator = Aim.evaluator(plan.model(), plan.train().compute());
        this.shown = new ShownImages(
                plan.shownImages(), validation.size(), plan.data().augment());
    }

    /**
     * Takes the weights of a checkpoint directory: their moving average where the run keeps one.
     *
     * @return all that it holds
     */
    public Snapshot load(Path checkpoint) throws IOException {
        return load(checkpoint, plan.optimizer().averages());
    }

    /** @param average whether to take the moving average rather than the weights of the last step */
    public Snapshot load(Path checkpoint, boolean average) throws IOException {
        Snapshot snapshot = Checkpoint.read(checkpoint).snapshot();
        if (average && !snapshot.averaged()) {
            throw new IOException("checkpoint " + checkpoint
                    + " holds no averaged weights; evaluate its weights (--weights model) or train with optimizer.ema");
        }
        evaluator.load(average ? snapshot.withAverage() : snapshot);
        weights = average ? Event.Validation.EMA : Event.Validation.MODEL;
        attention.clear();
        return snapshot;
    }

    /** How the weights of a checkpoint and the averages of their gradients are distributed. */
    public Event.Histograms histograms(long step, Snapshot snapshot) {
        long start = System.nanoTime();
        List<Histogram> histograms = MatrixHistograms.of(snapshot);
        return new Event.Histograms(System.currentTimeMillis(), node, step, histograms, seconds(start));
    }

    /** The objective's loss over all validation images, with a prefix per image that never changes. */
    public Event.Validation validate(long step) throws IOException {
        long start = System.nanoTime();
        LossSum[] sum = {LossSum.ZERO};
        int[] images = {0};
        forEach(validation, Long.MAX_VALUE, batch -> {
            sum[0] = sum[0].plus(evaluator.loss(batch.images(), batch.keys()));
            images[0] += batch.labels().length;
            shown.take(batch);
        });
        return new Event.Validation(
                System.currentTimeMillis(), node, step, sum[0].mean(), images[0], seconds(start), weights);
    }

    /**
     * Draws what is predicted of some of the images that were just validated, and where the attentive probes that these
     * weights have had look in them; empty where none is to be shown.
     */
    public Optional<Event.Images> picture(long step) throws IOException {
        if (shown.count() == 0) {
            return Optional.empty();
        }
        long start = System.nanoTime();
        SheetDrawing sheet = new SheetDrawing(
                plan.data().augment(), shown, evaluator.predict(shown.images(), shown.keys()), attention);
        String path = new ImageArchive(Path.of(plan.directory())).write(sheet.draw(), sheet.about(step));
        return Optional.of(
                new Event.Images(System.currentTimeMillis(), node, step, shown.count(), path, seconds(start)));
    }

    /** Whether the next picture shows where a probe looks. */
    boolean attends() {
        return !attention.isEmpty();
    }

    /**
     * What probes of some kinds, trained on frozen features of a set's training images, reach on its validation images; the
     * features are made once for all of them.
     *
     * @param sets that these weights are probed on
     */
    public List<Event.Probe> probe(List<ProbeKind> kinds, long step, double validationLoss, ProbeSet set, int sets)
            throws IOException {
        double endMillis = System.currentTimeMillis();
        List<Event.Probe> events = new ArrayList<>();
        for (Probed probed : probeLayers(set, kinds, part -> {})) {
            ProbeReport report = probed.reports().chosen();
            if (!report.attention().isEmpty()) {
                attention.put(set.name(), report.attention());
            }
            // One after the other, as they were made.
            endMillis += 1e3 * probed.spent().seconds();
            events.add(probed.event(
                    Math.round(endMillis),
                    node,
                    step,
                    report.kind().label(),
                    validationLoss,
                    set.name(),
                    sets,
                    report.kind() != plan.probe().kind()));
        }
        return events;
    }

    /**
     * Every kind of probe on every set of blocks that the plan names for it, as many side by side as the cache holds.
     *
     * @param progress told of the fraction of the images whose features are made
     * @return one for each kind
     */
    public List<Probed> probeLayers(ProbeSet set, List<ProbeKind> kinds, DoubleConsumer progress) throws IOException {
        List<Asked> results = kinds.stream()
                .map(kind -> plan.probe().config(kind, set.classes()))
                .flatMap(config -> evaluator.layers(config.layers()).stream().map(blocks -> new Asked(config, blocks)))
                .toList();
        Map<ProbeKind, List<ProbeReport>> reports = new EnumMap<>(ProbeKind.class);
        Map<ProbeKind, Spent> spent = new EnumMap<>(ProbeKind.class);
        int done = 0;
        for (List<Asked> some : fitting(results, set)) {
            double before = (double) done / results.size();
            double share = (double) some.size() / results.size();
            Spent begin = Spent.now();
            try (FeatureSets features = features(some, set, part -> progress.accept(before + share * part))) {
                for (int i = 0; i < some.size(); i++) {
                    ProbeConfig config = some.get(i).config();
                    reports.computeIfAbsent(config.kind(), unseen -> new ArrayList<>())
                            .add(features.probe(
                                    i, evaluator, config, plan.train().seed()));
                    Spent now = Spent.now();
                    spent.merge(config.kind(), now.since(begin), Spent::plus);
                    begin = now;
                }
            }
            done += some.size();
        }
        return kinds.stream()
                .map(kind -> new Probed(new ProbeReports(reports.get(kind)), spent.get(kind)))
                .toList();
    }

    /** In runs whose features fit into the cache side by side. */
    private List<List<Asked>> fitting(List<Asked> results, ProbeSet set) {
        List<List<Asked>> runs = new ArrayList<>();
        double taken = Double.POSITIVE_INFINITY;
        for (Asked asked : results) {
            double bytes = asked.config()
                    .cached(
                            evaluator.featureBytes(asked.pooled()),
                            trainImages(set),
                            set.validation().size());
            if (taken + bytes > asked.config().cacheBytes()) {
                runs.add(new ArrayList<>());
                taken = 0;
            }
            runs.get(runs.size() - 1).add(asked);
            taken += bytes;
        }
        return runs;
    }

    private long trainImages(ProbeSet set) {
        return Math.min(plan.probe().trainImages(), set.train().size());
    }

    /** Made in one pass over the images; close them to free their memory. */
    private FeatureSets features(List<Asked> results, ProbeSet set, DoubleConsumer progress) throws IOException {
        int trainImages = Math.toIntExact(trainImages(set));
        int validationImages = Math.toIntExact(set.validation().size());
        double all = (double) trainImages + validationImages;
        FeatureSets sets = new FeatureSets(evaluator, results, trainImages, validationImages, shown.count());
        boolean made = false;
        try {
            forEach(set.train(), trainImages, batch -> {
                evaluator.features(batch.images(), batch.labels(), sets.train());
                progress.accept(sets.images() / all);
            });
            forEach(set.validation(), Long.MAX_VALUE, batch -> {
                evaluator.features(batch.images(), batch.labels(), sets.validation());
                progress.accept(sets.images() / all);
            });
            if (!sets.looked().isEmpty()) {
                evaluator.features(shown.images(), shown.labels(), sets.looked());
            }
            made = true;
            return sets;
        } finally {
            if (!made) {
                sets.close();
            }
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
