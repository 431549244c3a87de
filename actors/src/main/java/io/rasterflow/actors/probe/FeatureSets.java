package io.rasterflow.actors.probe;

import io.rasterflow.model.Evaluator;
import io.rasterflow.model.probe.FeatureSet;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The feature sets of some results that are asked for: for each one of the training and one of the validation images, and
 * where its probe can look, one of other images in which it is asked where.
 */
final class FeatureSets implements AutoCloseable {
    private final List<FeatureSet> train = new ArrayList<>();
    private final List<FeatureSet> validation = new ArrayList<>();
    private final List<Optional<FeatureSet>> looked = new ArrayList<>();

    /** @param lookedImages 0 for none */
    FeatureSets(Evaluator evaluator, List<Asked> results, int trainImages, int validationImages, int lookedImages) {
        try {
            for (Asked asked : results) {
                train.add(evaluator.newFeatureSet(trainImages, asked.blocks(), asked.pooled()));
                validation.add(evaluator.newFeatureSet(validationImages, asked.blocks(), asked.pooled()));
                looked.add(
                        asked.looks() && lookedImages > 0
                                ? Optional.of(evaluator.newFeatureSet(lookedImages, asked.blocks(), asked.pooled()))
                                : Optional.empty());
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    List<FeatureSet> train() {
        return train;
    }

    List<FeatureSet> validation() {
        return validation;
    }

    /** Of those results that have one. */
    List<FeatureSet> looked() {
        return looked.stream().flatMap(Optional::stream).toList();
    }

    /** What the probe of one of the results reaches. */
    ProbeReport probe(int result, Evaluator evaluator, ProbeConfig config, long seed) {
        return evaluator.probe(train.get(result), validation.get(result), config, seed, looked.get(result));
    }

    /** Images so far that the probe learns from or is judged on. */
    int images() {
        return train.get(0).size() + validation.get(0).size();
    }

    @Override
    public void close() {
        train.forEach(FeatureSet::close);
        validation.forEach(FeatureSet::close);
        looked().forEach(FeatureSet::close);
    }
}
