package io.rasterflow.model;

import io.rasterflow.model.checkpoint.Snapshot;
import io.rasterflow.model.probe.FeatureSet;
import io.rasterflow.model.probe.ProbeConfig;
import io.rasterflow.model.probe.ProbeReport;
import java.nio.ByteBuffer;

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
     * An empty set with room for {@code capacity} images; close it to free its native memory.
     *
     * @param lastBlocks its features are the mean of the outputs of this many last blocks (all of a shallower trunk)
     */
    FeatureSet newFeatureSet(int capacity, int lastBlocks);

    /** Appends frozen features (mean of the last blocks, bidirectional attention) of B images with their labels. */
    void features(ByteBuffer images, int[] labels, FeatureSet into);

    /** Trains an attentive probe on one set and returns its top-1 accuracy on the other. */
    ProbeReport probe(FeatureSet train, FeatureSet validation, ProbeConfig config, long seed);

    @Override
    void close();
}
