package io.rasterflow.model.probe;

/** Cached frozen features (images, patches, dim), or their mean over the patches, with their labels, in native memory. */
public interface FeatureSet extends AutoCloseable {

    /** Number of images appended so far. */
    int size();

    /** The blocks whose outputs the features are the mean of. */
    Blocks blocks();

    @Override
    void close();
}
