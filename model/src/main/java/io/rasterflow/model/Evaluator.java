package io.rasterflow.model;

import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.probe.Blocks;
import io.rasterflow.model.probe.FeatureSet;
import io.rasterflow.model.probe.Layers;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeReport;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * A frozen model: validation loss and features without gradients, and probes trained on the features.
 *
 * <p>B images, C channels, H height, W width. Confined to one thread, like {@link Replica}.
 */
public interface Evaluator extends AutoCloseable {

    /** Takes the weights of a snapshot; moments are ignored. */
    void load(Snapshot snapshot);

    /** The objective's loss on images (B, C, H, W) float32 direct native order, prefix lengths drawn from the keys. */
    LossSum loss(ByteBuffer images, long[] sampleKeys);

    /**
     * What the model predicts of images (B, C, H, W) float32 direct native order, patch by patch as {@link #loss} counts
     * it, with the same prefixes: every patch from the true patches before it, none from predictions.
     *
     * @throws UnsupportedOperationException where the objective predicts tokens, which have no pixels
     */
    List<PredictedImage> predict(ByteBuffer images, long[] sampleKeys);

    /** The sets of blocks that {@code probe.layers} names in this model, see {@link Layers}. */
    List<Blocks> layers(String layers);

    /** Bytes that one set of blocks' features of one image take while they are probed. */
    long featureBytes(boolean pooled);

    /**
     * An empty set with room for {@code capacity} images; close it to free its native memory.
     *
     * @param blocks its features are the mean of these blocks' outputs, before the final norm
     * @param pooled and their mean over the patches
     */
    FeatureSet newFeatureSet(int capacity, Blocks blocks, boolean pooled);

    /** Appends frozen features (bidirectional attention) of B images with their labels to every set, in one pass. */
    void features(ByteBuffer images, int[] labels, List<FeatureSet> into);

    /** As the other, without attention maps. */
    default ProbeReport probe(FeatureSet train, FeatureSet validation, ProbeConfig config, long seed) {
        return probe(train, validation, config, seed, Optional.empty());
    }

    /**
     * Trains a probe on one set and reports what it reaches on the other.
     *
     * @param looked images in which it is told where an attentive probe looks, features of the same blocks
     */
    ProbeReport probe(
            FeatureSet train, FeatureSet validation, ProbeConfig config, long seed, Optional<FeatureSet> looked);

    @Override
    void close();
}
