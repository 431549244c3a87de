package io.rasterflow.actors.probe;

import io.rasterflow.model.Evaluator;
import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.FeatureSet;
import java.util.ArrayList;
import java.util.List;

/** The feature sets of some layers: one of the training and one of the validation images for each. */
final class FeatureSets implements AutoCloseable {
    private final List<FeatureSet> train = new ArrayList<>();
    private final List<FeatureSet> validation = new ArrayList<>();

    FeatureSets(Evaluator evaluator, List<Blocks> layers, boolean pooled, int trainImages, int validationImages) {
        try {
            for (Blocks blocks : layers) {
                train.add(evaluator.newFeatureSet(trainImages, blocks, pooled));
                validation.add(evaluator.newFeatureSet(validationImages, blocks, pooled));
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

    /** Images so far. */
    int images() {
        return train.get(0).size() + validation.get(0).size();
    }

    @Override
    public void close() {
        train.forEach(FeatureSet::close);
        validation.forEach(FeatureSet::close);
    }
}
