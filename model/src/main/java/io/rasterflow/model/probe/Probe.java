package io.rasterflow.model.probe;

import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Probes cached features: where there is something to choose (learning rates, layers), every candidate is trained on one
 * part of the training images and judged on the other, the best is trained again on all of them, and only then are the
 * validation images looked at.
 */
public final class Probe implements AutoCloseable {
    private static final long SPLIT = 0x5b1e0a7cL;

    private final ProbeConfig config;
    private final HeadProbe trained;
    private final KnnProbe nearest;

    /**
     * @param dim width of the features
     * @param heads attention heads of the trunk
     */
    public Probe(ProbeConfig config, int dim, int heads) {
        this.config = config;
        nearest = config.kind() == ProbeKind.KNN ? new KnnProbe(config.knn(), config.classes()) : null;
        trained = switch (config.kind()) {
            case ATTENTIVE -> new HeadProbe(new AttentiveHead(dim, heads, config.classes()), config.attentive());
            case LINEAR -> new HeadProbe(new LinearHead(dim, config.classes()), config.linear());
            case KNN -> null;
        };
    }

    /** As {@link #report(NativeFeatureSet, NativeFeatureSet, long, Optional)}, without attention maps. */
    public ProbeReport report(NativeFeatureSet train, NativeFeatureSet validation, long seed) {
        return report(train, validation, seed, Optional.empty());
    }

    /**
     * A pure function of the features, their labels and the seed.
     *
     * @param looked images, of any labels or none, in which it is told where an attentive probe looks
     */
    public ProbeReport report(
            NativeFeatureSet train, NativeFeatureSet validation, long seed, Optional<NativeFeatureSet> looked) {
        requireFit("training", train);
        requireFit("validation", validation);
        requireSameBlocks(train, "validation", validation);
        looked.ifPresent(set -> requireSameBlocks(train, "looked-at", set));
        return nearest == null ? trained(train, validation, seed, looked) : nearest(train, validation, seed);
    }

    private ProbeReport trained(
            NativeFeatureSet train, NativeFeatureSet validation, long seed, Optional<NativeFeatureSet> looked) {
        List<ProbeReport.Candidate> candidates = config.chooses() ? candidates(train, seed) : List.of();
        double rate = candidates.stream()
                .reduce((best, next) -> next.beats(best) ? next : best)
                .map(ProbeReport.Candidate::learningRate)
                .orElse(config.learningRates().get(0));
        try (HeadProbe.Heads head = trained.train(train, all(train), List.of(rate), seed)) {
            Predictions said =
                    trained.predict(head, validation, all(validation)).get(0);
            List<AttentionMap> attention = looked.filter(set -> config.kind() == ProbeKind.ATTENTIVE)
                    .map(set -> trained.attention(head, set, all(set)))
                    .orElse(List.of());
            return report(train, validation, said, rate, candidates, head.losses()[0], attention);
        }
    }

    private List<ProbeReport.Candidate> candidates(NativeFeatureSet train, long seed) {
        Split split = split(train.size(), seed);
        List<Double> rates = config.learningRates();
        try (HeadProbe.Heads heads = trained.train(train, split.fit(), rates, seed)) {
            List<Predictions> said = trained.predict(heads, train, split.heldOut());
            return IntStream.range(0, rates.size())
                    .mapToObj(r -> new ProbeReport.Candidate(
                            rates.get(r), said.get(r).top(1), said.get(r).loss()))
                    .toList();
        }
    }

    private ProbeReport nearest(NativeFeatureSet train, NativeFeatureSet validation, long seed) {
        List<ProbeReport.Candidate> candidates = List.of();
        if (config.chooses()) {
            Split split = split(train.size(), seed);
            double accuracy =
                    nearest.predict(train, split.fit(), train, split.heldOut()).top(1);
            candidates = List.of(new ProbeReport.Candidate(Double.NaN, accuracy, Double.NaN));
        }
        Predictions said = nearest.predict(train, all(train), validation, all(validation));
        return report(train, validation, said, Double.NaN, candidates, Double.NaN, List.of());
    }

    private ProbeReport report(
            NativeFeatureSet train,
            NativeFeatureSet validation,
            Predictions said,
            double rate,
            List<ProbeReport.Candidate> candidates,
            double trainLoss,
            List<AttentionMap> attention) {
        return new ProbeReport(
                config.kind(),
                train.blocks(),
                rate,
                candidates,
                said.top(1),
                said.top(5),
                said.loss(),
                trainLoss,
                said.confusion(config.classes()),
                train.size(),
                validation.size(),
                attention);
    }

    private record Split(long[] fit, long[] heldOut) {}

    /** The training images may lie in the order of their classes, so the held-out ones are drawn. */
    private Split split(int size, long seed) {
        if (size < 2) {
            throw new IllegalArgumentException(
                    "to choose among learning rates or layers at least two training images are"
                            + " needed; raise probe.trainImages or give one of probe.learningRates");
        }
        long[] order = Draws.permutation(size, new SplittableRandom(seed ^ SPLIT));
        int held = (int) Math.max(1, Math.min(size - 1, Math.round(size * config.heldOut())));
        return new Split(
                LongStream.of(order).skip(held).sorted().toArray(),
                LongStream.of(order).limit(held).sorted().toArray());
    }

    private static long[] all(NativeFeatureSet set) {
        return LongStream.range(0, set.size()).toArray();
    }

    private static void requireSameBlocks(NativeFeatureSet train, String role, NativeFeatureSet other) {
        if (!train.blocks().equals(other.blocks())) {
            throw new IllegalArgumentException("the training features are of the blocks " + train.blocks() + " but the "
                    + role + " features of " + other.blocks());
        }
    }

    private void requireFit(String role, NativeFeatureSet set) {
        if (set.size() < 1) {
            throw new IllegalArgumentException("the " + role + " features of the probe are empty");
        }
        if (set.pooled() != config.kind().pooled()) {
            throw new IllegalArgumentException("the " + role + " features are "
                    + (set.pooled() ? "means over the patches" : "those of every patch") + ", which probe.kind="
                    + config.kind().label() + " cannot read");
        }
        for (long label : set.labels()) {
            if (label < 0 || label >= config.classes()) {
                throw new IllegalArgumentException(
                        label < 0
                                ? "an image of the " + role + " features has no label; give a labelled data set"
                                : "label " + label + " of the " + role + " features is outside 0.."
                                        + (config.classes() - 1) + "; set probe.classes to fit the data");
            }
        }
    }

    @Override
    public void close() {
        if (trained != null) {
            trained.close();
        }
        if (nearest != null) {
            nearest.close();
        }
    }
}
