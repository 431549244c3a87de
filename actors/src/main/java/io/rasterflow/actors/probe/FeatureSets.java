package io.rasterflow.actors.probe;

import io.rasterflow.model.Evaluator;
import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.FeatureSet;
import java.util.ArrayList;
import java.util.List;

/**
 * The feature sets of some layers: for each one of the training and one of the validation images, and one of other images
 * in which the probe is asked where it looks.
 */
final class FeatureSets implements AutoCloseable {
    private final List<FeatureSet> train = new ArrayList<>();
    private final List<FeatureSet> validation = new ArrayList<>();
    private final List<FeatureSet> looked = new ArrayList<>();

    /** @param lookedImages 0 for none */
    FeatureSets(
            Evaluator evaluator,
            List<Blocks> layers,
            boolean pooled,
            int trainImages,
            int validationImages,
            int lookedImages) {
        try {
            for (Blocks blocks : layers) {
                train.add(evaluator.newFeatureSet(trainImages, blocks, pooled));
                validation.add(evaluator.newFeatureSet(validationImages, blocks, pooled));
                if (lookedImages > 0) {
                    looked.add(evaluator.newFeatureSet(lookedImages, blocks, pooled));
                }
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

    /** Empty where there are no such images. */
    List<FeatureSet> looked() {
        return looked;
    }

    /** Images so far that the probe learns from or is judged on. */
    int images() {
        return train.get(0).size() + validation.get(0).size();
    }

    @Override
    public void close() {
        train.forEach(FeatureSet::close);
        validation.forEach(FeatureSet::close);
        looked.forEach(FeatureSet::close);
    }
}
